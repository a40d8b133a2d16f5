import { z } from 'zod';
import { Problem } from '@gatehouse/server/kernel/problem.ts';
import { csvRows } from './csv-rows.ts';
import { fold, type RemoteGroup, type Snapshot } from './snapshot.ts';

/** Somebody who shall have an account. The e-mail address is the userName. */
export type Person = { userName: string; displayName: string | undefined; externalId: string | undefined };

/** What the target shall look like: everybody who has an account, and everybody in the groups that are named. Other groups are not ours. */
export type Desired = {
  people: readonly Person[];
  /** Groups that the file governs, by name or id. */
  groups: readonly string[];
  /** Who is in which of them; `user` is a userName of `people`. */
  grants: readonly { user: string; group: string }[];
};

const wrong = (says: string, fix?: string): Problem => new Problem('invalid', 'scim/desired', { says, fix });

const Text = z.string().trim().min(1).max(512);
const File = z.strictObject({
  people: z.array(
    z.strictObject({
      email: Text,
      displayName: Text.optional(),
      externalId: Text.optional(),
      groups: z.array(Text).optional(),
    }),
  ),
  groups: z.array(Text).optional(),
  grants: z.array(z.strictObject({ user: Text, group: Text })).optional(),
});
type File = z.infer<typeof File>;

/** Reads a desired state. A name that ends in .csv is CSV; anything else is JSON. */
export function parseDesired(name: string, text: string): Desired {
  if (name.toLowerCase().endsWith('.csv')) return checked(fromCsv(text));
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (e) {
    throw wrong(`${name} is not JSON: ${e instanceof Error ? e.message : 'unreadable'}`, 'CSV files end in .csv');
  }
  const parsed = File.safeParse(json);
  if (!parsed.success) throw wrong(`${name} cannot be used: ${z.prettifyError(parsed.error)}`);
  return checked(parsed.data);
}

const columns = ['email', 'display_name', 'external_id', 'group', 'groups'] as const;
type Column = (typeof columns)[number];

/** One row per person (`groups`, separated by semicolons) or per grant (`group`). A row with a group and no e-mail governs that group. */
function fromCsv(text: string): File {
  const [head, ...rows] = csvRows(text);
  if (!head)
    throw wrong('the file is empty', 'give at least the header line; an empty list of people removes everybody');
  const names = head.cells.map((c) => c.toLowerCase().replaceAll(' ', '_'));
  const unknown = names.filter((n) => !columns.some((c) => c === n));
  if (unknown.length > 0 || !names.includes('email') || new Set(names).size < names.length)
    throw wrong(
      unknown.length > 0
        ? `the column "${unknown[0]}" is not known`
        : `the header needs a column "email", and each column once`,
      `the columns are ${columns.join(', ')}, separated by commas`,
    );
  const people = new Map<string, { email: string; displayName?: string; externalId?: string; groups: string[] }>();
  const governed: string[] = [];
  for (const { line, cells } of rows) {
    if (cells.length > names.length)
      throw wrong(`line ${line} has ${cells.length} fields; the header has ${names.length}`);
    const get = (c: Column): string => cells[names.indexOf(c)] ?? '';
    const groups = [get('group'), ...get('groups').split(';')].map((g) => g.trim()).filter((g) => g !== '');
    const [email, displayName, externalId] = [
      get('email').trim(),
      get('display_name').trim(),
      get('external_id').trim(),
    ];
    if (email === '') {
      if (groups.length === 0 || displayName !== '' || externalId !== '')
        throw wrong(`line ${line} has no e-mail address`);
      governed.push(...groups);
      continue;
    }
    const known = people.get(fold(email)) ?? { email, groups: [] };
    people.set(fold(email), known);
    for (const [key, value] of [
      ['displayName', displayName],
      ['externalId', externalId],
    ] as const) {
      if (value === '') continue;
      if (known[key] !== undefined && known[key] !== value)
        throw wrong(`line ${line} gives ${email} another ${key} than a line before`, 'one person has one of each');
      known[key] = value;
    }
    known.groups.push(...groups);
  }
  return { people: [...people.values()], groups: governed };
}

/** Everything that a file may get wrong about itself. What it says about the target is the plan's business. */
function checked(file: File): Desired {
  const people: Person[] = [];
  const byName = new Map<string, string>();
  const byExternal = new Map<string, string>();
  const grants = new Map<string, { user: string; group: string }>();
  const groups = new Map<string, string>();
  const grant = (user: string, group: string): void => {
    grants.set(JSON.stringify([fold(user), group]), { user, group });
    groups.set(group, group);
  };
  for (const p of file.people) {
    if (byName.has(fold(p.email))) throw wrong(`${p.email} is in the file twice`, 'capitals make no difference');
    byName.set(fold(p.email), p.email);
    if (p.externalId !== undefined) {
      const other = byExternal.get(p.externalId);
      if (other !== undefined) throw wrong(`${other} and ${p.email} have the same externalId ${p.externalId}`);
      byExternal.set(p.externalId, p.email);
    }
    people.push({ userName: p.email, displayName: p.displayName, externalId: p.externalId });
    for (const g of p.groups ?? []) grant(p.email, g);
  }
  for (const g of file.groups ?? []) groups.set(g, g);
  for (const g of file.grants ?? []) {
    const user = byName.get(fold(g.user)) ?? byExternal.get(g.user);
    if (user === undefined) throw wrong(`the grant of ${g.group} is for ${g.user}, who is not among the people`);
    grant(user, g.group);
  }
  return { people, groups: [...groups.values()], grants: [...grants.values()] };
}

/** The file that wants a target as it is; a plan of it is empty. Where most people begin. */
export function desiredOf(s: Snapshot, softDelete: boolean): File {
  const users = new Map(s.users.filter((u) => u.active || !softDelete).map((u) => [u.id, u]));
  const twice = new Set(
    [...Map.groupBy(s.groups, (g) => fold(g.displayName)).values()].filter((all) => all.length > 1).flat(),
  );
  const named = (g: RemoteGroup): string => (twice.has(g) ? g.id : g.displayName);
  const groupsOf = new Map<string, string[]>();
  for (const g of s.groups)
    for (const m of g.members ?? []) {
      const of = groupsOf.get(m.id) ?? [];
      groupsOf.set(m.id, of);
      of.push(named(g));
    }
  return {
    people: [...users.values()].map((u) => ({
      email: u.userName,
      ...(u.displayName === undefined ? {} : { displayName: u.displayName }),
      ...(u.externalId === undefined ? {} : { externalId: u.externalId }),
      groups: groupsOf.get(u.id) ?? [],
    })),
    groups: s.groups.map(named),
  };
}
