import c from './bones.module.css';

/** Rows to come. They show after 400 ms, so that what is quick never flickers. */
export const Bones = ({ rows = 6 }: { rows?: number }) => (
  <div role="status" aria-label="Loading" className={c.bones}>
    {Array.from({ length: rows }, (_, i) => (
      <div key={i} className="gh-bone" style={{ width: `${92 - ((i * 17) % 40)}%` }} />
    ))}
  </div>
);
