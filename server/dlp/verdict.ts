/** Where content is on its way when it is looked at. The gate asks about the first two; runs and files ask about the others. */
export const phases = ['arguments', 'result', 'prompt', 'output', 'file_in', 'file_out'] as const;
export type Phase = (typeof phases)[number];

/** What may be done with content, from mild to severe; of several engines the most severe action counts. */
export const dlpActions = ['allow', 'alert', 'redact', 'require_approval', 'quarantine', 'block'] as const;
export type DlpAction = (typeof dlpActions)[number];

/** The most severe of some actions; `allow` of none. */
export const worstOf = (of: Iterable<DlpAction>): DlpAction => {
  let worst = 0;
  for (const a of of) worst = Math.max(worst, dlpActions.indexOf(a));
  return dlpActions[worst] ?? 'block';
};
