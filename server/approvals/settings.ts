/** How an organization wants approvals. */
export type ApprovalSettings = {
  /** Whether one yes may also cover further calls of the same run; never for destructive tools. */
  runGrants: boolean;
  /** How many calls of a run one yes may cover, and for how long. */
  runMost: number;
  runMinutes: number;
  /** How many notices a person gets at once within an hour; what comes then waits for the next summary. */
  noticesAnHour: number;
};

/** Of an organization that never said anything. */
export const usualSettings: ApprovalSettings = { runGrants: false, runMost: 20, runMinutes: 60, noticesAnHour: 6 };
