import type { Observation } from './walk-names.ts';

/** What one server said in one check, as it is kept. */
export type Evidence = {
  /** The check's number; all rows of one check have the same. */
  number: number;
  at: Date;
  role: Observation['role'];
  resolver: string;
  record: string;
  rcode: string;
  answer: string[];
  ttl: number | null;
  verdict: string;
};

/** Rows of one check, strings of one row, characters of one string: what strangers' servers say must not fill our disk. */
const MAX_ROWS = 40;
const MAX_STRINGS = 8;
const MAX_CHARS = 300;

/** Text from anybody's server, as it can be kept: PostgreSQL stores neither NUL nor halves of surrogate pairs, which a cut can make. */
export const storable = (text: string, most: number = MAX_CHARS): string =>
  text.slice(0, most).toWellFormed().replaceAll('\0', '\ufffd');

export function evidenceOf(
  observations: readonly Observation[],
  number: number,
  at: Date,
  verdict: string,
): Evidence[] {
  return observations.slice(0, MAX_ROWS).map(({ role, server, name, outcome }) => ({
    number,
    at,
    role,
    resolver: storable(server),
    record: storable(name),
    rcode: outcome.kind === 'answer' ? outcome.rcode : outcome.why,
    answer: (outcome.kind === 'answer'
      ? [...outcome.aliases.map((a) => `alias of ${a}`), ...outcome.txts]
      : [outcome.found]
    )
      .slice(0, MAX_STRINGS)
      .map((t) => storable(t)),
    ttl: outcome.kind === 'answer' ? outcome.ttl : null,
    verdict,
  }));
}
