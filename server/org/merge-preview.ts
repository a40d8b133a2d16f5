import { jcs } from '@gatehouse/contract/jcs.ts';
import { sha256 } from '@gatehouse/contract/sha256.ts';
import { z } from 'zod';
import { memberRoles } from './member.ts';
import type { Merge } from './merge.ts';
import { surfaces } from './org.ts';

/** A domain of a parent, as a preview shows it. */
export type MergeDomain = { domain: string; state: string; side: 'joining' | 'receiving' };

const state = z.enum(['active', 'suspended']);
const Roles = z.array(z.object({ org: z.string(), role: z.enum(memberRoles) }));

const Side = z.object({
  parent: z.string(),
  name: z.string(),
  people: z.number(),
  orgs: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      surface: z.enum(surfaces),
      owners: z.number(),
      people: z.number(),
      mode: z.string().nullable(),
      seats: z.number().nullable(),
      taken: z.number(),
    }),
  ),
  connections: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      kind: z.string(),
      issuer: z.string(),
      client: z.string(),
      state: z.string(),
      matches: z.boolean(),
    }),
  ),
  directories: z.array(z.object({ id: z.string(), name: z.string(), org: z.string(), state: z.string() })),
});

const Both = z.object({
  was: z.string(),
  becomes: z.string(),
  byIdentity: z.boolean(),
  byAddress: z.boolean(),
  email: z.string(),
  intoEmail: z.string(),
  state,
  intoState: state,
  origin: z.string(),
  roles: Roles,
  intoRoles: Roles,
  passkeys: z.number(),
  entry: z.string().nullable(),
  intoEntry: z.string().nullable(),
});

/** What the database says about the two sides, read in one statement (merge_facts). */
export const MergeFacts = z.object({ joining: Side, receiving: Side, both: z.array(Both) });
export type MergeFacts = z.infer<typeof MergeFacts>;

/** What stands in the way of a merge. `about`: ids of what it is about. */
export const conflictCodes = [
  'same_address',
  'ambiguous',
  'state_differs',
  'two_directories',
  'same_connection',
  'same_domain',
] as const;
/** What both sides should know and agree to by approving. */
export const noticeCodes = [
  'shared_owners',
  'directory_takes_over',
  'entry_set_aside',
  'passkey_stays',
  'matches_everybody',
  'seats',
] as const;

const Line = <C extends readonly [string, ...string[]]>(codes: C) =>
  z.object({ code: z.enum(codes), about: z.array(z.string()), says: z.string(), fix: z.string().nullable() });

/** What both sides look at before they approve. */
export const MergePreview = z.object({
  moves: Side,
  stays: Side,
  domains: z.array(z.object({ domain: z.string(), state: z.string(), side: z.enum(['joining', 'receiving']) })),
  joined: z.array(Both),
  /** Beyond those listed; the hash is over all. */
  joinedMore: z.number().int(),
  conflicts: z.array(Line(conflictCodes)),
  notices: z.array(Line(noticeCodes)),
});
export type MergePreview = z.infer<typeof MergePreview>;

/** People on both sides that a preview names; whoever has more looks at the members of both organizations. */
const MAX_JOINED_SHOWN = 500;

/** The preview and the hash that approvals are bound to. Pure: the same facts give the same preview, here and when it is applied. */
export function previewMerge(
  m: Pick<Merge, 'id' | 'byAddress' | 'sharedEntries'>,
  f: MergeFacts,
  domains: readonly MergeDomain[],
): { preview: MergePreview; hash: string } {
  const conflicts = conflictsOf(m, f, domains);
  const notices = noticesOf(f);
  // INVARIANT (what was approved is what runs): everything that decides what anybody can do afterwards is in the hash. Head counts are not,
  // so that a directory that adds a person meanwhile does not send both sides back: whoever is on one side only keeps what they have.
  const bound = {
    v: 1,
    merge: m.id,
    byAddress: m.byAddress,
    sharedEntries: m.sharedEntries,
    sides: [f.joining, f.receiving].map((s) => ({
      parent: s.parent,
      orgs: s.orgs.map((o) => ({ id: o.id, surface: o.surface, mode: o.mode, seats: o.seats, owners: o.owners })),
      connections: s.connections,
      directories: s.directories,
    })),
    both: f.both,
    domains: domains.map((d) => ({ ...d })),
    conflicts: conflicts.map((c) => ({ code: c.code, about: c.about })),
  };
  return {
    preview: {
      moves: f.joining,
      stays: f.receiving,
      domains: [...domains],
      joined: f.both.slice(0, MAX_JOINED_SHOWN),
      joinedMore: Math.max(0, f.both.length - MAX_JOINED_SHOWN),
      conflicts,
      notices,
    },
    hash: sha256(`gatehouse-merge-v1\0${jcs(bound)}`).toString('hex'),
  };
}

type Conflict = MergePreview['conflicts'][number];
type Notice = MergePreview['notices'][number];

/** Everything that stands in the way. A merge is refused while there is any. */
export function conflictsOf(
  m: Pick<Merge, 'byAddress' | 'sharedEntries'>,
  f: MergeFacts,
  domains: readonly MergeDomain[],
): Conflict[] {
  const found: Conflict[] = [];
  const seen = (pick: (b: MergeFacts['both'][number]) => string): Set<string> => {
    const once = new Set<string>();
    const twice = new Set<string>();
    for (const b of f.both) (once.has(pick(b)) ? twice : once).add(pick(b));
    return twice;
  };
  const [wasTwice, becomesTwice] = [seen((b) => b.was), seen((b) => b.becomes)];
  for (const b of f.both) {
    const about = [b.was, b.becomes];
    if (wasTwice.has(b.was) || becomesTwice.has(b.becomes))
      found.push({
        code: 'ambiguous',
        about,
        says: `${b.email} and ${b.intoEmail} may be one person, and one of them may be somebody else as well`,
        fix: 'change the address of one of the accounts, so that each has at most one other',
      });
    else if (!b.byIdentity && !m.byAddress)
      found.push({
        code: 'same_address',
        about,
        says: `${b.email} has an account on each side, and nothing but the address says that it is one person`,
        fix: 'let the person sign in on both sides through the same identity provider, or propose again with joinByAddress',
      });
    if (b.state !== b.intoState)
      found.push({
        code: 'state_differs',
        about,
        says: `${b.email} is ${b.state} on the side that moves and ${b.intoState} on the other; one account can be only one of these`,
        fix: 'suspend or reactivate the person on one side',
      });
    if (b.entry !== null && b.intoEntry !== null && m.sharedEntries === 'refuse')
      found.push({
        code: 'two_directories',
        about,
        says: `${b.email} is in a directory on each side, and an account follows one directory only`,
        fix: 'take the person out of one of the directories, or propose again with sharedEntries receiving_decides',
      });
  }
  for (const c of f.joining.connections)
    if (f.receiving.connections.some((o) => o.issuer === c.issuer && o.client === c.client))
      found.push({
        code: 'same_connection',
        about: [c.id],
        says: `both sides are connected to ${c.issuer} as the client ${c.client}`,
        fix: 'give one side a client of its own at the identity provider',
      });
  for (const d of domains)
    if (d.side === 'joining' && domains.some((o) => o.side === 'receiving' && o.domain === d.domain))
      found.push({
        code: 'same_domain',
        about: [d.domain],
        says: `both sides have the domain ${d.domain}`,
        fix: 'remove the domain on one side',
      });
  return found;
}

function noticesOf(f: MergeFacts): Notice[] {
  const notices: Notice[] = [];
  const owners = (s: MergeFacts['joining']): number => s.orgs.reduce((n, o) => n + o.owners, 0);
  notices.push({
    code: 'shared_owners',
    about: [f.joining.parent, f.receiving.parent],
    says: `an owner of any organization of a parent manages its sign-in and directories: ${owners(f.joining)} of ${f.joining.name} will for ${f.receiving.name}, and ${owners(f.receiving)} the other way round`,
    fix: null,
  });
  for (const b of f.both) {
    if (b.passkeys > 0)
      notices.push({
        code: 'passkey_stays',
        about: [b.was, b.becomes],
        says: `${b.email} has a passkey on the side that moves; it opens the old account only, so the person makes a new one`,
        fix: null,
      });
    if (b.entry === null) continue;
    if (b.intoEntry !== null)
      notices.push({
        code: 'entry_set_aside',
        about: [b.was, b.becomes, b.entry],
        says: `${b.email} follows the receiving side's directory; groups that the other directory puts them into do not count any more`,
        fix: null,
      });
    else
      notices.push({
        code: 'directory_takes_over',
        about: [b.becomes, b.entry],
        says: `the account ${b.intoEmail} of the receiving side will follow the directory ${b.entry}: who leaves there is suspended in every organization`,
        fix: null,
      });
  }
  for (const [one, other] of [
    [f.joining, f.receiving],
    [f.receiving, f.joining],
  ] as const)
    for (const c of one.connections)
      if (c.matches && c.state === 'active' && other.directories.length > 0)
        notices.push({
          code: 'matches_everybody',
          about: [c.id],
          says: `the connection ${c.name} matches a first sign-in to a directory's person by externalId; it will do so for the directories of ${other.name} too`,
          fix: null,
        });
  for (const o of f.joining.orgs)
    if (o.seats !== null)
      notices.push({
        code: 'seats',
        about: [o.id],
        says: `${o.name} has ${o.taken} of ${o.seats} seats taken; seats are the organization's own, and stay so`,
        fix: null,
      });
  return notices;
}
