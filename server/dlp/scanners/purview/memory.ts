/** The two ways in which Purview wants to be told of an activity, and nothing at all. */
export type Execution = 'inline' | 'offline' | 'none';
/** What applies to one person, as Purview computed it. */
export type Scopes = {
  etag: string | undefined;
  at: number;
  entries: readonly { activities: readonly string[]; inline: boolean; ours: boolean; actions: readonly unknown[] }[];
};

/** People whose scopes are remembered; one more and the oldest is asked for again. */
const MAX_PEOPLE = 5_000;

/** What a process remembers of one Purview tenant: the token, each person's scopes, what waits to be sent, and until when it may not be asked. */
export class PurviewMemory {
  token: { value: Promise<{ bearer: string; until: number }>; until: number } | undefined;
  /** On the monotonic clock. */
  pausedUntil = 0;
  readonly #scopes = new Map<string, Scopes>();
  readonly waiting: { user: string; request: unknown; bytes: number; entries: number }[] = [];
  /** Whether somebody empties `waiting` already. */
  sending = false;

  scopesOf(person: string): Scopes | undefined {
    return this.#scopes.get(person);
  }
  keepScopes(person: string, scopes: Scopes): void {
    this.#scopes.delete(person);
    this.#scopes.set(person, scopes);
    const [oldest] = this.#scopes;
    if (oldest && this.#scopes.size > MAX_PEOPLE) this.#scopes.delete(oldest[0]);
  }
  forgetScopes(person: string): void {
    this.#scopes.delete(person);
  }
}
