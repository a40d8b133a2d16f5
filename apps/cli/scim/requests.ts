import type { Profile } from './profile.ts';
import { splitName } from './person-name.ts';
import { GROUP, PATCH, USER, type Json } from './wire.ts';

/** A person to be made. */
export type NewUser = { userName: string; displayName: string; externalId: string | null };

/** The body that makes an account. There is no password: people sign in through their identity provider. */
export const newUserBody = (u: NewUser): Json => ({
  schemas: [USER],
  userName: u.userName,
  ...(u.externalId === null ? {} : { externalId: u.externalId }),
  name: { ...splitName(u.displayName), formatted: u.displayName },
  displayName: u.displayName,
  emails: [{ value: u.userName, type: 'work', primary: true }],
  active: true,
});

export const newGroupBody = (displayName: string): Json => ({ schemas: [GROUP], displayName });

/** A value inside a filter. Unquoted only where it is one word, because nothing else could be read back. */
export const filterValue = (p: Pick<Profile, 'filter'>, v: string): string =>
  p.filter === 'unquoted' && /^[\w.@+-]+$/.test(v) ? v : JSON.stringify(v);

type Op = { op: 'add' | 'remove' | 'replace'; path?: string; value?: unknown };

export const patchBody = (p: Pick<Profile, 'opCase'>, ops: readonly Op[]): Json => ({
  schemas: [PATCH],
  Operations: ops.map((o) => ({
    ...o,
    op: p.opCase === 'capital' ? `${o.op.charAt(0).toUpperCase()}${o.op.slice(1)}` : o.op,
  })),
});

export const switchBody = (p: Pick<Profile, 'opCase'>, active: boolean): Json =>
  patchBody(p, [{ op: 'replace', path: 'active', value: active }]);

export const addMembersBody = (p: Pick<Profile, 'opCase'>, ids: readonly string[]): Json =>
  patchBody(p, [{ op: 'add', path: 'members', value: ids.map((value) => ({ value })) }]);

/** `rfc` names each member in the path (RFC 7644 §3.5.2.2); `entraLegacy` lists them as a value. Neither touches anybody else. */
export const removeMembersBody = (
  p: Pick<Profile, 'opCase'>,
  form: 'rfc' | 'entraLegacy',
  ids: readonly string[],
): Json =>
  form === 'rfc'
    ? patchBody(
        p,
        ids.map((id) => ({ op: 'remove', path: `members[value eq ${JSON.stringify(id)}]` })),
      )
    : patchBody(p, [{ op: 'remove', path: 'members', value: ids.map((value) => ({ value })) }]);
