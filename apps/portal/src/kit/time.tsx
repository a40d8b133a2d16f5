import { clock, day, moment, when } from './words.ts';

/** A time in prose: how far away, with the exact one in the title. */
export const When = ({ at }: { at: string }) => (
  <time dateTime={at} title={moment(at)} className="gh-nowrap">
    {when(at)}
  </time>
);

/** A time in a table, whose head names UTC: the day, then the clock. */
export const At = ({ at, exact = false }: { at: string; exact?: boolean }) => (
  <time dateTime={at} title={moment(at)} className="gh-num gh-nowrap">
    {day(at)} <span className="gh-3">{exact ? clock(at) : clock(at).slice(0, 5)}</span>
  </time>
);
