import { newId } from '#kernel/id.ts';
import { decide, type Decision, type Effect, type LiveMapping, type Situation } from './decide.ts';
import { freshSituation } from './fresh-situation.ts';
import { happenings, isJit, modes, type Happening, type Mode } from './mode.ts';

const [users, admins, owners] = [newId('grp'), newId('grp'), newId('grp')];
const mappings: LiveMapping[] = [
  { id: newId('map'), role: 'user', tier: null, groups: [users] },
  { id: newId('map'), role: 'admin', tier: null, groups: [admins] },
  { id: newId('map'), role: 'owner', tier: null, groups: [owners] },
];

const member = (role: 'primary_owner' | 'owner' | 'admin' | 'user', more: object = {}): Partial<Situation> => ({
  member: { role, source: 'directory', activated: true, tier: null, ...more },
});

/** Everyday people and every trap, by name. */
const situations: Record<string, Partial<Situation>> = {
  'not in, no mapped group': {},
  'not in, in a mapped group': { groups: [users] },
  'not in, in several mapped groups': { groups: [users, owners, admins] },
  'removed by hand, in a mapped group': { groups: [users], tombstone: 'hand' },
  'removed by the directory, in a mapped group': { groups: [users], tombstone: 'directory' },
  'lost the last group, in one again': { groups: [users], tombstone: 'unmapped' },
  'not in, mapped, no seat left': { groups: [users], seatsLeft: 0 },
  'user, no mapped group': member('user'),
  'user by hand, no mapped group': { ...member('user', { source: 'hand' }), scim: 'absent' },
  'user, in a mapped group': { ...member('user'), groups: [users] },
  'user, in several mapped groups': { ...member('user'), groups: [users, owners, admins] },
  'admin, groups give user': { ...member('admin'), groups: [users] },
  'owner, no mapped group': member('owner'),
  'last owner, no mapped group': { ...member('owner'), lastOwner: true },
  'last owner, groups give user': { ...member('owner'), groups: [users], lastOwner: true },
  'primary owner, no mapped group': member('primary_owner'),
  'primary owner, groups give user': { ...member('primary_owner'), groups: [users] },
  'break-glass owner, no mapped group': {
    ...member('owner', { source: 'hand' }),
    scim: 'absent',
    exempt: 'break_glass',
  },
  'primary owner of another org': { ...member('user'), groups: [users], exempt: 'owns_elsewhere' },
  'user whose removal is held': { ...member('user'), held: true },
  'user without a seat, none left': { ...member('user', { activated: false }), groups: [users], seatsLeft: 0 },
  'user without a seat, one left': { ...member('user', { activated: false }), groups: [users], seatsLeft: 1 },
  'suspended user, in a mapped group': { ...member('user'), account: 'suspended', groups: [users] },
};
/** Whom only the identity provider knows; nothing but a sign-in can happen to them. */
const strangers: Record<string, Partial<Situation>> = {
  'stranger, no mapped group': {},
  'stranger, in a mapped group': { groups: [users] },
  'stranger of another domain, mapped': { groups: [users], address: 'other_domain' },
  'stranger of a domain that is not verified, mapped': { groups: [users], address: 'unverified_domain' },
  'stranger without an address, mapped': { groups: [users], address: 'missing' },
};

/** A situation in which nothing is special, with what is. What happens also says what the directory says after it. */
export function situation(mode: Mode, event: Happening, over: Partial<Situation> = {}): Situation {
  const said =
    event === 'scim_disable'
      ? 'disabled'
      : event === 'scim_delete'
        ? 'deleted'
        : event === 'scim_create' || event === 'scim_reactivate'
          ? 'active'
          : undefined;
  return {
    ...freshSituation(mode, event),
    scim: isJit(mode) ? 'absent' : 'active',
    mappings,
    ...over,
    event,
    ...(said ? { scim: said } : {}),
  };
}

const effect = (e: Effect): string => {
  switch (e.do) {
    case 'add_member':
      return `add as ${e.role}`;
    case 'change_role':
      return `${e.from} -> ${e.to}`;
    case 'remove_member':
      return `remove (${e.cause})`;
    case 'change_tier':
      return `tier ${e.to ?? 'none'}`;
    case 'create_account':
    case 'suspend_account':
    case 'restore_account':
    case 'take_seat':
    case 'free_seat':
      return e.do.replace('_', ' ');
  }
};

const widths = [16, 16, 44, 6, 14, 8, 46] as const;
const line = (...cells: string[]): string =>
  cells
    .map((c, i) => c.padEnd(widths[i] ?? 0))
    .join(' ')
    .trimEnd();

const row = (mode: Mode, event: Happening, name: string, d: Decision): string =>
  line(
    mode,
    event,
    name,
    d.admit ? 'yes' : 'no',
    d.role ?? '-',
    d.seat,
    d.effects.map(effect).join(', ') || '-',
    d.reasons.join(' '),
  );

/** Every mode, everything that can happen, every kind of person: the text of docs/generated/provisioning-decisions.txt. */
export function decisionTable(): string {
  const rows = modes.flatMap((mode) => [
    ...happenings.flatMap((event) =>
      Object.entries(situations).map(([name, over]) => row(mode, event, name, decide(situation(mode, event, over)))),
    ),
    ...Object.entries(strangers).map(([name, over]) =>
      row(mode, 'login', name, decide(situation(mode, 'login', { account: 'none', scim: 'absent', ...over }))),
    ),
  ]);
  return [
    'Who is let in, as what, and why: every answer of server/provisioning/decide.ts. Written by `npm run gen`, reviewed as a difference.',
    `The words are in server/provisioning/reason.ts. ${rows.length} rows.`,
    '',
    line('mode', 'event', 'who', 'admit', 'role', 'seat', 'effects', 'because'),
    ...rows,
    '',
  ].join('\n');
}
