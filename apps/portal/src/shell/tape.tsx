import { getCheckpoint } from '@gatehouse/client/audit.ts';
import { useQuery } from '@tanstack/react-query';
import { question } from '../kit/ask.ts';
import { useHere } from '../kit/org.tsx';
import { count, moment } from '../kit/words.ts';
import { To } from './rooms.tsx';
import c from './shell.module.css';

/** 3 s ago, 4 min ago: the column is narrow. */
function shortly(at: string): string {
  const s = Math.max(0, Math.round((Date.now() - new Date(at).getTime()) / 1000));
  return s < 120 ? `${s} s ago` : `${Math.round(s / 60)} min ago`;
}

/** Promise one, always in sight: the log is being written, and when its newest checkpoint was signed. */
export function Tape() {
  const { org, may } = useHere();
  const allowed = may('audit.read').ok;
  const { data, isError } = useQuery({
    ...question(getCheckpoint, { org }),
    enabled: allowed,
    refetchInterval: 15_000,
    staleTime: 0,
  });
  if (!allowed || (!data && !isError)) return null;
  return (
    <To at="audit" className={c.tape}>
      <i data-off={isError || undefined} />
      {data && !isError ? (
        <>
          <span title={moment(data.at)}>
            <b>Recording</b>, signed {shortly(data.at)}
          </span>
          <span className="gh-mono gh-num">#{count(data.size)}</span>
        </>
      ) : (
        <span>
          <b>Not recording</b>, as far as this page can tell
        </span>
      )}
    </To>
  );
}
