import type { Asked, Dns, DnsServer } from '#kernel/dns.ts';
import type { DnsRecord, Question } from '#kernel/dns-message.ts';

/** What one server said to one question, as evidence. */
export type Observation = {
  role: 'authoritative' | 'recursive';
  /** `ns1.acme.example (192.0.2.1)` */
  server: string;
  name: string;
  outcome: Outcome;
};
export type Outcome =
  | { kind: 'answer'; rcode: 'NOERROR' | 'NXDOMAIN'; txts: readonly string[]; aliases: readonly string[]; ttl: number }
  | { kind: 'failed'; why: 'servfail' | 'timeout' | 'refused' | 'truncated' | 'dnssec_bogus'; found: string };

/** Who serves a zone. `parent` speaks of the zone above, where a name is told not to exist. */
type Zone = { name: string; servers: readonly DnsServer[] };

/** Questions that one check may cost; a chain of delegations that needs more is broken or meant to keep us busy. */
export const MAX_QUESTIONS = 120;
/** How long one check may go on asking; whoever pressed the button waits for it. */
const MAX_MS = 30_000;
/** Aliases from the challenge's name to where the record is; handing it over takes one. */
export const MAX_ALIASES = 8;
const MAX_DELEGATIONS = 16;
const MAX_SERVERS = 6;
/** Servers of one step of the way down that we try before we give up. */
const MAX_TRIED = 4;
/** A name server's own address may need a walk of its own, and its servers again. */
const MAX_NESTED = 3;

/** Extended errors that mean a broken or forged signature (RFC 8914 §4): DNSSEC bogus, expired, not yet valid, missing keys or signatures. */
const BOGUS = new Set([5, 6, 7, 8, 9, 10, 11, 12]);

export const under = (name: string, zone: string): boolean => zone === '' || name === zone || name.endsWith(`.${zone}`);

const label = (s: DnsServer): string => (s.name === s.address ? s.address : `${s.name} (${s.address})`);

/** Reads one answer for what it says about TXT records at a name; aliases inside the answer are followed. */
export function outcomeOf(asked: Asked, name: string, how: 'authoritative' | 'recursive'): Outcome {
  if (!asked.ok)
    switch (asked.why) {
      case 'timeout':
        return { kind: 'failed', why: 'timeout', found: 'no answer' };
      case 'unreachable':
        return { kind: 'failed', why: 'timeout', found: 'nothing listens at its address' };
      case 'malformed':
        return { kind: 'failed', why: 'servfail', found: 'an answer that is not one' };
      case 'truncated':
        return { kind: 'failed', why: 'truncated', found: 'a cut answer, and nothing whole over TCP' };
      case 'forbidden':
        return { kind: 'failed', why: 'refused', found: 'an address inside a network, which we do not ask' };
    }
  const { reply } = asked;
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') {
    const bogus = reply.extended.find((e) => BOGUS.has(e));
    if (bogus !== undefined)
      return { kind: 'failed', why: 'dnssec_bogus', found: `SERVFAIL with extended error ${bogus}` };
    return { kind: 'failed', why: reply.rcode === 'REFUSED' ? 'refused' : 'servfail', found: reply.rcode };
  }
  if (how === 'authoritative' && !reply.authoritative)
    return { kind: 'failed', why: 'refused', found: 'an answer without authority: it does not serve the zone' };
  const { owner, aliases } = followAliases(reply.answers, name);
  const own = reply.answers.filter((r) => r.type === 'TXT' && r.name === owner);
  const negative = Number(reply.authorities.find((r) => r.type === 'SOA')?.data ?? 0);
  const ttl = own.length > 0 ? Math.min(...own.map((r) => r.ttl)) : (reply.answers[0]?.ttl ?? negative);
  return { kind: 'answer', rcode: reply.rcode, txts: own.map((r) => r.data), aliases, ttl };
}

/** Follows CNAMEs inside one answer. A circle ends where it began to repeat. */
function followAliases(answers: readonly DnsRecord[], name: string): { owner: string; aliases: string[] } {
  const aliases: string[] = [];
  let owner = name;
  for (;;) {
    const next = answers.find((r) => r.type === 'CNAME' && r.name === owner)?.data;
    if (next === undefined || next === name || aliases.includes(next) || aliases.length >= MAX_ALIASES)
      return { owner, aliases };
    aliases.push(next);
    owner = next;
  }
}

/** Walks the tree of names from the top, as a resolver does, and keeps what it learnt for the length of one check. */
export class NameWalk {
  readonly #dns: Dns;
  readonly #zones = new Map<string, Zone>();
  readonly #answers = new Map<string, Promise<Asked>>();
  readonly #silent = new Set<string>();
  readonly #until = performance.now() + MAX_MS;

  constructor(dns: Dns) {
    this.#dns = dns;
    this.#zones.set('', { name: '', servers: dns.roots });
  }

  /** Each server is asked each question once, and one that was silent is not waited for again. */
  #ask(server: DnsServer, q: Question): Promise<Asked> {
    const key = `${server.address} ${q.type} ${q.name}`;
    const known = this.#answers.get(key);
    if (known) return known;
    // Spent: as if nobody answered. The evidence shows how far we came.
    if (this.#answers.size >= MAX_QUESTIONS || performance.now() > this.#until || this.#silent.has(server.address))
      return Promise.resolve({ ok: false, why: 'timeout' });
    const asked = this.#dns.ask(server, q, { recurse: false }).then((a) => {
      if (!a.ok && a.why === 'timeout') this.#silent.add(server.address);
      return a;
    });
    this.#answers.set(key, asked);
    return asked;
  }

  #nearest(name: string): Zone {
    let best: Zone = { name: '', servers: this.#dns.roots };
    for (const z of this.#zones.values()) if (under(name, z.name) && z.name.length >= best.name.length) best = z;
    return best;
  }

  /** What each server of the zone that holds `name` says about its TXT records. */
  async txtAtSource(name: string): Promise<Observation[]> {
    const found = await this.#descend(name, 0);
    if ('failed' in found) return found.failed;
    return Promise.all(
      found.zone.servers.slice(0, MAX_SERVERS).map(async (s) => ({
        role: 'authoritative' as const,
        server: label(s),
        name,
        outcome: outcomeOf(await this.#ask(s, { name, type: 'TXT' }), name, 'authoritative'),
      })),
    );
  }

  /** The zone whose own servers answer for `name`; or what the servers said at the step where the way ended. */
  async #descend(name: string, nested: number): Promise<{ zone: Zone } | { failed: Observation[] }> {
    let zone = this.#nearest(name);
    for (let step = 0; step < MAX_DELEGATIONS; step++) {
      const failed: Observation[] = [];
      let next: Zone | undefined;
      let ends = false;
      for (const server of zone.servers.slice(0, MAX_TRIED)) {
        const asked = await this.#ask(server, { name, type: 'TXT' });
        const referral = asked.ok ? delegation(asked.reply.authorities, name, zone.name) : undefined;
        if (asked.ok && !asked.reply.authoritative && asked.reply.rcode === 'NOERROR' && referral) {
          next = await this.#zoneOf(referral, asked.reply.additionals, zone, server.port, nested);
          break;
        }
        const outcome = outcomeOf(asked, name, 'authoritative');
        if (outcome.kind === 'answer') {
          ends = true;
          break;
        }
        failed.push({ role: 'authoritative', server: label(server), name, outcome });
      }
      if (ends) return { zone };
      if (!next) return { failed: failed.length > 0 ? failed : [nobody(zone.name, name)] };
      if (next.servers.length === 0) return { failed: [nobody(next.name, name)] };
      this.#zones.set(next.name, next);
      zone = next;
    }
    return {
      failed: [
        {
          ...nobody(zone.name, name),
          outcome: { kind: 'failed', why: 'servfail', found: 'delegations without an end' },
        },
      ],
    };
  }

  /** The servers that a delegation names, with their addresses. */
  async #zoneOf(d: Delegation, glue: readonly DnsRecord[], above: Zone, port: number, nested: number): Promise<Zone> {
    const servers: DnsServer[] = [];
    for (const ns of d.names.slice(0, MAX_SERVERS)) {
      // INVARIANT (bailiwick): an address that comes along is believed only for names inside the zone that told it; else anybody's server
      // could say where somebody else's is.
      const told = under(ns, above.name) ? glue.filter((r) => isAddress(r) && r.name === ns).map((r) => r.data) : [];
      const addresses = told.length > 0 ? told : nested < MAX_NESTED ? await this.#addressesOf(ns, nested + 1) : [];
      for (const address of addresses.slice(0, 2)) servers.push({ name: ns, address, port, named: false });
    }
    // IPv4 first: more machines can reach it.
    servers.sort((a, b) => Number(a.address.includes(':')) - Number(b.address.includes(':')));
    return { name: d.zone, servers };
  }

  async #addressesOf(host: string, nested: number): Promise<string[]> {
    const found = await this.#descend(host, nested);
    if ('failed' in found) return [];
    for (const type of ['A', 'AAAA'] as const)
      for (const server of found.zone.servers.slice(0, 2)) {
        const asked = await this.#ask(server, { name: host, type });
        if (!asked.ok || !asked.reply.authoritative) continue;
        const addresses = asked.reply.answers.filter((r) => r.type === type && r.name === host).map((r) => r.data);
        if (addresses.length > 0) return addresses;
        break;
      }
    return [];
  }
}

type Delegation = { zone: string; names: string[] };

const isAddress = (r: DnsRecord): boolean => r.type === 'A' || r.type === 'AAAA';

/** A referral further down towards `name`; one that points sideways or up is none. */
function delegation(authorities: readonly DnsRecord[], name: string, from: string): Delegation | undefined {
  const ns = authorities.filter(
    (r) => r.type === 'NS' && under(name, r.name) && r.name.length > from.length && under(r.name, from),
  );
  const zone = ns[0]?.name;
  if (zone === undefined) return undefined;
  return { zone, names: [...new Set(ns.filter((r) => r.name === zone).map((r) => r.data))] };
}

const nobody = (zone: string, name: string): Observation => ({
  role: 'authoritative',
  server: zone === '' ? 'the root servers' : `the servers of ${zone}`,
  name,
  outcome: { kind: 'failed', why: 'timeout', found: 'none of them can be found' },
});
