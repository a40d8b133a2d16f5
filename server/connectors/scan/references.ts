import type { Finding, Piece } from './scanner.ts';

/** Names of tools that stand elsewhere: of other connectors of the organization. */
export type Elsewhere = {
  /** Whether this connector offers a tool of this name itself. */
  own: ReadonlySet<string>;
  /** Names to the slugs of the connectors that offer them. */
  others: ReadonlyMap<string, readonly string[]>;
};

export const nowhere: Elsewhere = { own: new Set(), others: new Map() };

/** What of the names of an org's tools concerns one connector. */
export function elsewhereOf(
  connector: string,
  names: readonly { connector: string; slug: string; name: string }[],
): Elsewhere {
  const own = new Set<string>();
  const others = new Map<string, string[]>();
  for (const n of names) {
    if (n.connector === connector) {
      own.add(n.name);
      own.add(`${n.slug}__${n.name}`);
    } else {
      for (const name of [n.name, `${n.slug}__${n.name}`]) others.set(name, [...(others.get(name) ?? []), n.slug]);
    }
  }
  return { own, others };
}

/** A name that nobody writes without meaning the tool: `send_mail` and `readFile`, not `search`. */
const distinct = (name: string): boolean => /[_./-]|[a-z][A-Z]|\d/.test(name) && name.length >= 5;

export type Reference = Pick<Finding, 'id' | 'severity' | 'says' | 'why'> & { from: number; to: number };

/** Names of other servers' tools in a text: once each. Linear: every word is looked up. */
export function* referencesIn({ raw, role }: Pick<Piece, 'raw' | 'role'>, e: Elsewhere): Generator<Reference> {
  if (role === 'pattern' || role === 'address') return;
  const told = new Set<string>();
  for (const m of raw.matchAll(/[A-Za-z0-9_./-]{3,200}/g)) {
    const word = m[0].replace(/^[./-]+|[./-]+$/g, '');
    if (told.has(word) || e.own.has(word)) continue;
    const slugs = e.others.get(word);
    const foreign = /^mcp__[A-Za-z0-9-]+__\w+/.test(word);
    if (!(slugs && distinct(word)) && !foreign) continue;
    told.add(word);
    const from = m.index + m[0].indexOf(word);
    yield {
      id: 'names_another_tool',
      severity: word.includes('__') ? 'high' : 'medium',
      says: 'Names a tool of another connector',
      why: slugs
        ? `${word} belongs to ${[...new Set(slugs)].slice(0, 5).join(', ')}; a description that sends the model there reaches beyond its own system.`
        : `${word} is how agents name tools of other servers; a description that sends the model there reaches beyond its own system.`,
      from,
      to: from + word.length,
    };
  }
}
