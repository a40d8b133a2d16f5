import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { Problem } from '#kernel/problem.ts';
import type { Connection } from './connection.ts';
import { saveRecovered, saveRefused } from './connection.sql.ts';
import type { Unlocked, Use } from './credentials.ts';
import { openKept, sameSecret } from './kept.ts';
import { GrantRefused, type Fields, type Minted, type Minting, type OrganizationGrant } from './organization-grant.ts';
import { vaultRefusals } from './refusals.ts';
import { backoffMs, vaultCtx, type Place, type Renewal } from './renewal.ts';
import { cleaned } from './token-answer.ts';
import { originOf } from './vendor-address.ts';
import { vaultEvents } from './vault.events.ts';
import { scopesFor, siteFetch, type VendorSite } from './vendor-site.ts';

/** Tokens and refusals kept at once, of all organizations; one more and the one made first goes. */
const MAX_MINTED = 20_000;
/** A refusal is told again for so long without asking the vendor. */
const REFUSED_MS = 15_000;

type Entry = { kind: 'minted'; unlocked: Unlocked; ends: number } | { kind: 'refused'; problem: Problem; ends: number };

/** Tokens of accounts of organizations. They are in this process only: whoever restarts asks for new ones. */
export type Mint = (
  at: Place,
  site: VendorSite,
  found: { connection: Connection; sealed: Buffer },
  use: Use,
) => Promise<Unlocked>;

export function makeMint(r: Renewal, marginMs: number): Mint {
  const made = new Map<string, Entry>();
  const flights = new Map<string, Promise<Unlocked>>();

  const keep = (key: string, entry: Entry): void => {
    made.delete(key);
    made.set(key, entry);
    const [oldest] = made.keys();
    if (oldest !== undefined && made.size > MAX_MINTED) made.delete(oldest);
  };

  return (at, site, found, use) => {
    const { connection: c } = found;
    const subject = site.actAs === 'organization_as_person' ? use.subject : undefined;
    // What an administrator changes about the connector makes another key; the rows say who may ask at all.
    const key = JSON.stringify([
      at.org,
      c.id,
      c.generation,
      subject,
      use.narrow,
      site.access,
      site.settings,
      site.origins,
    ]);
    const now = r.world.now().getTime();
    const known = made.get(key);
    if (known && known.ends > now) {
      if (known.kind === 'refused') return Promise.reject(known.problem);
      if (!use.refused || !sameSecret(use.refused, known.unlocked.token)) return Promise.resolve(known.unlocked);
      made.delete(key);
    }
    const under = flights.get(key);
    if (under) return under;
    const flight = mintOnce(r, at, site, found, subject, use)
      .then((m) => {
        const ends = m.expiresIn === undefined ? Infinity : now + m.expiresIn * 1000 - marginMs;
        if (ends > now) keep(key, { kind: 'minted', unlocked: m.unlocked, ends });
        return m.unlocked;
      })
      .catch((e: unknown) => {
        if (e instanceof Problem && e.code.startsWith('vault/'))
          keep(key, { kind: 'refused', problem: e, ends: now + REFUSED_MS });
        throw e;
      })
      .finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}

async function mintOnce(
  r: Renewal,
  at: Place,
  site: VendorSite,
  { connection: c, sealed }: { connection: Connection; sealed: Buffer },
  subject: string | undefined,
  use: Use,
): Promise<{ unlocked: Unlocked; expiresIn: number | undefined }> {
  const { world } = r;
  const grant = organizationGrant(site, c.grantKind);
  if (site.actAs === 'organization_as_person' && subject === undefined)
    throw new Problem('bug', 'vault/no-subject', {
      says: 'an account that speaks for persons was asked for a token without a person',
    });
  const kept = await openKept(world.seal, at.org, c, sealed);
  if (!('given' in kept))
    throw new Problem('bug', 'vault/sealed-form', {
      says: 'a connection opens to something that its kind does not keep',
    });
  const outcome = await tryMint(r.world, site, grant, kept.given, { subject, narrow: use.narrow });
  const ctx = vaultCtx(world, at);
  if (outcome.kind === 'minted') {
    if (c.standing.state !== 'active')
      await change(ctx, async (tx) =>
        (await saveRecovered(tx, c.id, c.generation)) === 0
          ? { value: undefined, unchanged: true }
          : {
              value: undefined,
              events: [event(vaultEvents, 'connection.recovered', { connection: c.id, connector: c.connector })],
            },
      );
    const { token, scopes, facts, expiresIn } = outcome.minted;
    return {
      unlocked: { token, scopes: scopes ?? c.scopes, facts: { ...c.facts, ...facts } },
      expiresIn,
    };
  }
  const { because, says } = outcome;
  // One person whom the vendor does not know, or a part that the account does not have, says nothing of the account itself.
  const ofAccount = subject === undefined && use.narrow === undefined;
  if (because !== 'later' && (ofAccount || because === 'app') && c.standing.state !== 'reconnect')
    await change(ctx, async (tx) =>
      (await saveRefused(tx, c.id, c.generation, {
        state: 'reconnect',
        because: null,
        why: `grant_${because}`,
        fails: 0,
        next: null,
      })) === 0
        ? { value: undefined, unchanged: true }
        : {
            value: undefined,
            events: [
              event(vaultEvents, 'connection.reconnect_needed', {
                connection: c.id,
                connector: c.connector,
                member: null,
                why: `grant_${because}`,
              }),
            ],
          },
    );
  if (because === 'later') throw vaultRefusals.later(site.name, 'grant_later', says, backoffMs(1));
  throw vaultRefusals.app(site.name, `grant_${because}`, says);
}

export type MintOutcome =
  | { kind: 'minted'; minted: Minted }
  | { kind: 'refused'; because: 'reconnect' | 'app' | 'later'; says: string };

/** Asks the vendor for a token of an account of the organization; what it says no to is an answer. */
export async function tryMint(
  world: Renewal['world'],
  site: VendorSite,
  grant: OrganizationGrant,
  fields: Fields,
  of: Pick<Minting, 'subject' | 'narrow'>,
): Promise<MintOutcome> {
  const secrets = Object.values(fields).filter((v) => typeof v === 'string');
  try {
    const minted = await grant.mint({
      fields,
      settings: site.settings,
      access: site.access,
      scopes: scopesFor(site, site.access),
      ...of,
      origin: (role) => originOf(site.origins, role),
      fetch: siteFetch(world.egress, site),
      now: world.now(),
    });
    return { kind: 'minted', minted };
  } catch (e) {
    if (e instanceof GrantRefused) return { kind: 'refused', because: e.because, says: cleaned(e.says, secrets) };
    if (e instanceof Problem && e.kind === 'upstream') return { kind: 'refused', because: 'later', says: e.says };
    if (e instanceof Problem) throw e;
    // INVARIANT (no secret in an error): what a manifest's function throws may carry what it was given, so only its name goes on.
    world.log.warn(
      { connector: site.connector, kind: grant.kind, err: e instanceof Error ? e.name : 'error' },
      'a token could not be made',
    );
    return { kind: 'refused', because: 'later', says: `${site.name} did not answer as expected` };
  }
}

/** The kind of account that a connection is of, if its vendor still knows it. */
export function organizationGrant(site: VendorSite, kind: string): OrganizationGrant {
  const grant = site.auth.organization.find((g) => g.kind === kind);
  if (grant) return grant;
  throw vaultRefusals.app(site.name, 'unknown_kind', `an account of the kind ${kind} is none that it takes`);
}
