import { randomBytes } from 'node:crypto';
import type { Dns } from '#kernel/dns.ts';
import { challengeHost, readTxt, wrongHosts, type Challenge } from './challenge.ts';
import { registrableOf } from './domain-name.ts';
import { MAX_ALIASES, NameWalk, outcomeOf, type Observation } from './walk-names.ts';

const MAX_RESOLVERS = 4;

/**
 * Everything that was seen in one check. `astray`: names with our token where it does no good. `wildcard`: the challenge's name is an alias
 * only because every name of the domain is.
 */
export type Seen = { observations: Observation[]; astray: string[]; wildcard: boolean };

/**
 * Looks for the record where it may be: at the zone's own servers, as a walk from the root finds them, and through the recursive resolvers,
 * which the rest of the world asks. Nothing here decides; judge-challenge.ts does.
 */
export async function lookUpChallenge(dns: Dns, c: Challenge): Promise<Seen> {
  const walk = new NameWalk(dns);
  const host = challengeHost(c.name);
  const recursive = Promise.all(
    dns.resolvers.slice(0, MAX_RESOLVERS).flatMap((r) =>
      [host, c.name].map(async (name): Promise<Observation> => ({
        role: 'recursive',
        server: r.address,
        name,
        outcome: outcomeOf(await dns.ask(r, { name, type: 'TXT' }, { recurse: true }), name, 'recursive'),
      })),
    ),
  );
  const atHost = await throughAliases(walk, host);
  const wildcard = await aliasOfEverything(walk, c.name, atHost);
  const atDomain = await walk.txtAtSource(c.name);
  // INVARIANT (an alias for pages is no alias for proof): the domain itself, or all names under it, may be handed to whoever serves pages
  // there, and they could then set records where the alias leads. Only an alias of the challenge's own name was made for this.
  const observations = [...atHost, ...atDomain, ...(await recursive)].map((o) =>
    o.outcome.kind === 'answer' && o.outcome.aliases.length > 0 && (o.name !== host || wildcard)
      ? { ...o, outcome: { ...o.outcome, txts: [] } }
      : o,
  );
  const at = (all: readonly Observation[], means: string): boolean =>
    all.some((o) => o.outcome.kind === 'answer' && o.outcome.txts.some((t) => readTxt(c, t) === means));
  const found = at(observations, 'token') || at(observations, 'quoted');
  const answered = atDomain.some((o) => o.outcome.kind === 'answer' && o.outcome.rcode === 'NOERROR');
  const astray: string[] = [];
  if (!found && answered)
    for (const name of wrongHosts(c.name, registrableOf(c.name))) {
      const there = await walk.txtAtSource(name);
      if (at(there, 'token')) astray.push(name);
    }
  return { observations, astray, wildcard };
}

/** Whether a name that nobody can have set leads where the challenge's name leads. */
async function aliasOfEverything(walk: NameWalk, domain: string, atHost: readonly Observation[]): Promise<boolean> {
  const first = (all: readonly Observation[]): string[] =>
    all.flatMap((o) => (o.outcome.kind === 'answer' ? o.outcome.aliases.slice(0, 1) : []));
  const target = new Set(first(atHost));
  if (target.size === 0) return false;
  return first(await walk.txtAtSource(`_gatehouse-${randomBytes(6).toString('hex')}.${domain}`)).some((t) =>
    target.has(t),
  );
}

/** What the zone's servers say, and, where the name is an alias into another zone, what that zone's servers say: one observation per server. */
async function throughAliases(walk: NameWalk, name: string): Promise<Observation[]> {
  const first = await walk.txtAtSource(name);
  return Promise.all(
    first.map(async (o) => {
      let { outcome } = o;
      const gone = new Set([name]);
      while (outcome.kind === 'answer' && outcome.txts.length === 0) {
        const target = outcome.aliases.at(-1);
        if (target === undefined || gone.has(target) || outcome.aliases.length >= MAX_ALIASES) break;
        gone.add(target);
        const further = await walk.txtAtSource(target);
        const best = further.find((f) => f.outcome.kind === 'answer') ?? further[0];
        if (!best) break;
        const before: readonly string[] = outcome.aliases;
        outcome =
          best.outcome.kind === 'answer'
            ? { ...best.outcome, rcode: 'NOERROR', aliases: [...before, ...best.outcome.aliases] }
            : best.outcome;
      }
      return { ...o, outcome };
    }),
  );
}
