import { countOf } from '../../kit/words.ts';
import c from './dlp.module.css';

/** What was found, where in the content and how often. */
export const Found = ({
  of,
  nameOf,
}: {
  of: readonly { detector: string; at: string; count: number }[];
  nameOf(data: string): string;
}) => (
  <ul className={c.found}>
    {of.map((f, i) => (
      <li key={i}>
        <span>
          <b>{nameOf(f.detector)}</b> <span className="gh-id">{f.at === '' ? 'in the whole' : f.at}</span>
        </span>
        <span className="gh-num">{countOf(f.count, 'match', 'matches')}</span>
      </li>
    ))}
  </ul>
);
