/** The closed list of ways to say no. Each door's dialect turns a kind into its own words and status. */
export type Kind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'missing'
  | 'method'
  | 'conflict'
  | 'stale'
  | 'too_large'
  | 'unsupported'
  | 'too_many'
  | 'bug'
  | 'upstream'
  | 'unavailable';

/** HTTP status of each kind (RFC 9110 §15). */
export const status = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  missing: 404,
  method: 405,
  conflict: 409,
  stale: 412,
  too_large: 413,
  unsupported: 415,
  too_many: 429,
  bug: 500,
  upstream: 502,
  unavailable: 503,
} as const satisfies Record<Kind, number>;

/** What people read (`says`, `fix`), what machines read (`code`, `more`) and what only our log sees (`because`) never share a field. */
export type ProblemParts = {
  /** One sentence: what was found and what was expected. */
  says: string;
  /** The next step, for the one who can take it. */
  fix?: string | undefined;
  /** Facts for machines that a dialect may show, e.g. `{ scimType: 'uniqueness' }`. Never a secret. */
  more?: Record<string, unknown> | undefined;
  /** For our log only. */
  because?: unknown;
};

/** Every refusal of the product. `code` is `room/what` and stays for ever (docs/generated/pins.txt). */
export class Problem extends Error {
  readonly kind: Kind;
  readonly code: string;
  readonly says: string;
  readonly fix: string | undefined;
  readonly more: Record<string, unknown> | undefined;
  constructor(kind: Kind, code: string, p: ProblemParts) {
    super(`${code}: ${p.says}`, { cause: p.because });
    this.name = 'Problem';
    this.kind = kind;
    this.code = code;
    this.says = p.says;
    this.fix = p.fix;
    this.more = p.more;
  }
}

/** Anything thrown, as a Problem: what we did not expect is a bug of ours, and its text stays in our log. */
export function asProblem(e: unknown): Problem {
  if (e instanceof Problem) return e;
  return new Problem('bug', 'kernel/bug', {
    says: 'something broke on our side; nothing was changed',
    fix: 'try again; if it happens twice, give the request id to whoever runs this deployment',
    because: e,
  });
}
