/** Exit statuses of `gatehouse policy`. Scripts branch on them, so they stay. */
export const EXIT = { ok: 0, failed: 1, usage: 2, differs: 3 } as const;

/** Why a command ended without its answer: what the server said, or what is wrong with the command line. */
export class Refusal extends Error {
  readonly code: string;
  readonly says: string;
  readonly fix: string | undefined;
  readonly status: number;
  constructor(status: number, code: string, says: string, fix?: string) {
    super(says);
    [this.status, this.code, this.says, this.fix] = [status, code, says, fix];
  }
}

/** A mistake in the command line. */
export const usage = (says: string, fix?: string): Refusal => new Refusal(EXIT.usage, 'policy/usage', says, fix);
