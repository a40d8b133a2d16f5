import type { Bootstrapped } from '../bootstrap.ts';

/** What the storyteller is told about each step: what happened, how long it took, where to look. */
export type Step = { number: number; says: string; ms: number; look: string; details: readonly string[] };

/** Does one step of the story and tells it. */
export type StepOf = <T>(
  work: () => Promise<{ says: string; look: string; details?: readonly string[]; value: T; ms?: number }>,
) => Promise<T>;

export type Json = Record<string, unknown>;
export type Api = (method: string, path: string, body?: Json) => Promise<Json>;

/** A list in an answer; empty where there is none. */
export const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

/** The API of an organization with the key from bootstrap. */
export const apiOf =
  (origin: string, f: Pick<Bootstrapped, 'org' | 'apiKey'>): Api =>
  async (method, path, body) => {
    const answer = await fetch(`${origin}/api/orgs/${f.org}${path}`, {
      method,
      headers: { authorization: `Bearer ${f.apiKey}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const got = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${got}`);
    return got === '' ? {} : (JSON.parse(got) as Json);
  };

/** Throws where the story would not be true. */
export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(`the story is not true: ${otherwise}`);
}
