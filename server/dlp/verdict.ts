/** Where content is on its way when it is looked at. The gate asks about the first two; runs and files ask about the others. */
export const phases = ['arguments', 'result', 'prompt', 'output', 'file_in', 'file_out'] as const;
export type Phase = (typeof phases)[number];

/** What may be done with content, from mild to severe; of several engines the most severe action counts. */
export const dlpActions = ['allow', 'alert', 'redact', 'require_approval', 'quarantine', 'block'] as const;
export type DlpAction = (typeof dlpActions)[number];

const rank: Record<DlpAction, number> = { allow: 0, alert: 1, redact: 2, require_approval: 3, quarantine: 4, block: 5 };

/** The more severe of two actions. */
export const worse = (a: DlpAction, b: DlpAction): DlpAction => (rank[a] >= rank[b] ? a : b);

/** The most severe of some actions; `allow` of none. */
export const worstOf = (of: Iterable<DlpAction>): DlpAction => {
  let worst: DlpAction = 'allow';
  for (const a of of) worst = worse(worst, a);
  return worst;
};

/**
 * What was found, where (RFC 6901 JSON Pointer, shortened, without what a key might tell) and how many. `hashes` are keyed hashes of up to
 * five different matches, so that one can see that it is the same number again; an outside engine has none. INVARIANT (no match): never the
 * text itself, nor anything that it can be read or guessed from without the organization's key.
 */
export type Finding = { detector: string; at: string; count: number; hashes: readonly string[] };

/**
 * A stretch of one string of the content that is to be replaced. `at` is the exact JSON Pointer (never shortened, never shown), `start` and
 * `end` are UTF-16 offsets in that string; of a number or with `key` (the name itself is meant) the whole is replaced. `says` completes "redacted: ".
 */
export type Redaction = { at: string; key?: boolean; start: number; end: number; says: string };
