import c from './sso.module.css';

export type StageState = { stage: string; state: 'passed' | 'refused' | 'not_reached'; note?: string | undefined };

/** The stages of a sign-in in their order; the one that refused carries the colour. */
export const Stages = ({ of }: { of: readonly StageState[] }) => (
  <ol className={c.stages} aria-label="Stages of the sign-in">
    {of.map((s) => (
      <li key={s.stage} data-state={s.state}>
        {s.stage}
        <span className="gh-vh">
          {s.state === 'passed' ? ', passed' : s.state === 'refused' ? ', refused here' : ', not reached'}
        </span>
      </li>
    ))}
  </ol>
);
