import { Problem } from '@gatehouse/server/kernel/problem.ts';
import type { Member, RemoteGroup, RemoteUser } from './snapshot.ts';

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

export type Json = Record<string, unknown>;

export const isJson = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v);

/** Names of attributes have no case (RFC 7643 §2.1), and targets make use of that. */
export function field(of: Json, name: string): unknown {
  if (Object.hasOwn(of, name)) return of[name];
  const key = Object.keys(of).find((k) => k.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : of[key];
}

export const textOf = (of: Json, name: string): string | undefined => {
  const v = field(of, name);
  return typeof v === 'string' && v !== '' ? v : typeof v === 'number' ? String(v) : undefined;
};

const odd = (says: string): Problem =>
  new Problem('upstream', 'scim/odd-answer', {
    says,
    fix: 'check that the address is a SCIM 2.0 server (it ends where /Users begins); the journal shows its answers',
  });

/** A number, or a text of one: totals come as both. */
const count = (v: unknown): number | undefined => {
  const n = typeof v === 'string' && /^\d{1,12}$/.test(v) ? Number(v) : v;
  return typeof n === 'number' && Number.isInteger(n) && n >= 0 ? n : undefined;
};

/** One page of a list. */
export type ListPage = { resources: Json[]; total: number | undefined; nextCursor: string | undefined };

export function parseList(body: Json, what: string): ListPage {
  const resources = field(body, 'Resources') ?? [];
  if (!Array.isArray(resources) || !resources.every(isJson)) throw odd(`the list of ${what} has no array "Resources"`);
  const total = count(field(body, 'totalResults'));
  if (total === undefined && field(body, 'Resources') === undefined)
    throw odd(`the answer for ${what} is not a SCIM list: it has neither totalResults nor Resources`);
  return { resources, total, nextCursor: textOf(body, 'nextCursor') };
}

export function parseUser(body: Json): RemoteUser {
  const [id, userName] = [textOf(body, 'id'), textOf(body, 'userName')];
  if (id === undefined) throw odd(`a user (userName ${userName ?? 'missing, too'}) has no id`);
  if (userName === undefined) throw odd(`the user ${id} has no userName`);
  const name = field(body, 'name');
  const parts = isJson(name)
    ? (textOf(name, 'formatted') ??
      ([textOf(name, 'givenName'), textOf(name, 'familyName')].filter((p) => p !== undefined).join(' ') || undefined))
    : undefined;
  const active = field(body, 'active');
  return {
    id,
    userName,
    externalId: textOf(body, 'externalId'),
    displayName: textOf(body, 'displayName') ?? parts,
    // Some targets answer with texts; absent is on (RFC 7643 §4.1.1 leaves it to them).
    active: !(active === false || (typeof active === 'string' && active.toLowerCase() === 'false')),
  };
}

export function parseGroup(body: Json, withMembers: boolean): RemoteGroup {
  const [id, displayName] = [textOf(body, 'id'), textOf(body, 'displayName')];
  if (id === undefined) throw odd(`a group (displayName ${displayName ?? 'missing, too'}) has no id`);
  if (displayName === undefined) throw odd(`the group ${id} has no displayName`);
  return {
    id,
    displayName,
    externalId: textOf(body, 'externalId'),
    members: withMembers ? parseMembers(field(body, 'members')) : undefined,
  };
}

function parseMembers(list: unknown): Member[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw odd('the members of a group are not a list');
  const seen = new Map<string, Member>();
  for (const m of list as unknown[]) {
    const id = typeof m === 'string' ? m : isJson(m) ? textOf(m, 'value') : undefined;
    if (id === undefined) throw odd('a member of a group has no value');
    const type = isJson(m) ? (textOf(m, 'type')?.toLowerCase() ?? '') : '';
    const ref = isJson(m) ? (textOf(m, '$ref') ?? '') : '';
    const kind = type === 'group' || (type === '' && /\/Groups\//i.test(ref)) ? 'group' : 'user';
    seen.set(id, { id, kind });
  }
  return [...seen.values()];
}

/** What a SCIM error says, in one line. */
export function errorText(status: number, body: Json | undefined): string {
  const detail = body && textOf(body, 'detail');
  const type = body && textOf(body, 'scimType');
  return `${status}${type ? ` ${type}` : ''}${detail ? `: ${detail.slice(0, 400)}` : ''}`;
}
