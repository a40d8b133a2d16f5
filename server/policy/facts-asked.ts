import { Problem } from '#kernel/problem.ts';
import type { ArgumentFacts, ArgumentKind, Projection } from './argument.ts';
import { hostOf, readValue } from './argument-value.ts';

/** Facts as somebody writes them in a question, by the kinds that a reviewer gives; and the domain of a recipient alone. */
export type FactsAsked = { [K in Exclude<ArgumentKind, 'text'>]?: string | number | undefined } & {
  recipient_domain?: string | undefined;
};

/** Brings facts of a question into the spelling of a call's, by the same reading; undefined if there are none. */
export function factsAsked({ recipient_domain: domain, ...kinds }: FactsAsked): ArgumentFacts | undefined {
  let facts: ArgumentFacts = {};
  for (const [kind, value] of Object.entries(kinds)) {
    if (value === undefined) continue;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are the kinds
    const read = readValue(kind as ArgumentKind, value);
    const [one] = read;
    if (!one || read.length > 1 || 'says' in one)
      throw new Problem('invalid', 'policy/unreadable-fact', {
        says: `the ${kind} ${one && 'says' in one ? one.says : 'is more than one'}`,
        fix: `give one ${kind} as a call would have it`,
      });
    facts = { ...facts, ...one.facts };
  }
  if (domain !== undefined) {
    const host = hostOf(domain);
    if (host === undefined)
      throw new Problem('invalid', 'policy/unreadable-fact', {
        says: 'the recipient_domain is no domain like example.com',
        fix: 'give the part behind the @',
      });
    facts = { ...facts, recipient_domain: host };
  }
  return Object.keys(facts).length > 0 ? facts : undefined;
}

const kindOf: Record<keyof ArgumentFacts, ArgumentKind> = {
  path: 'path',
  path_folded: 'path',
  folder: 'folder',
  folder_folded: 'folder',
  repository: 'repository',
  channel: 'channel',
  recipient: 'recipient',
  recipient_domain: 'recipient',
  amount: 'amount',
  url_host: 'url',
  text: 'text',
};

/** What of these facts rules could see in a call of a tool: only what its reviewer has said where it stands. */
export function seenFacts(facts: ArgumentFacts, projection: Projection): ArgumentFacts {
  const kinds = new Set(projection.map((p) => p.kind));
  return Object.fromEntries(
    Object.entries(facts).filter(([name]) => {
      const kind = Object.entries(kindOf).find(([k]) => k === name)?.[1];
      return kind !== undefined && kinds.has(kind);
    }),
  );
}
