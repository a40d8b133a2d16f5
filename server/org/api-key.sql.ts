import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { permissions, type Permission } from '#kernel/permission.ts';
import { KEY_USE_SECONDS, type ApiKey, type FoundApiKey } from './api-key.ts';
import { memberRoles } from './member.ts';

const known: ReadonlySet<string> = new Set(permissions);

const ApiKeyRow: z.ZodType<ApiKey> = z.object({
  id: z.custom<Id<'key'>>(),
  name: z.string(),
  // A permission that this version no longer has is worth nothing, and is not shown.
  permissions: z.array(z.string()).transform((all) => all.filter((p): p is Permission => known.has(p))),
  createdBy: z.custom<Id<'usr'>>(),
  createdAt: z.date(),
  expiresAt: z.date(),
  revokedAt: z.date().nullable(),
  lastUsedAt: z.date().nullable(),
});

export const insertApiKey = (tx: Tx, k: Omit<ApiKey, 'revokedAt' | 'lastUsedAt'>, hash: Buffer): Promise<number> =>
  tx.run(write`
  insert into api_key (org, id, name, hash, permissions, created_by, created_at, expires_at)
  values (app_org(), ${k.id}, ${k.name}, ${hash}, ${k.permissions}, ${k.createdBy}, ${k.createdAt}, ${k.expiresAt})`);

/** Newest first; revoked and expired ones stay, because someone may ask what a key was. */
export const listApiKeys = (
  db: Reader,
  f: { q?: string | undefined; after?: readonly string[] | undefined; limit: number },
): Promise<ApiKey[]> =>
  db.many(read(ApiKeyRow)`
  select id, name, permissions, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
         revoked_at as "revokedAt", last_used_at as "lastUsedAt"
    from api_key
   where org = app_org()
     and (${containing(f.q)}::text is null or name ilike ${containing(f.q)} or id = ${f.q ?? ''} or ${f.q ?? ''} = any(permissions))
     and (${f.after?.[0] ?? null}::text is null or id < ${f.after?.[0] ?? ''})
   order by id desc
   limit ${f.limit + 1}`);

export const lockApiKey = (tx: Tx, id: Id<'key'>): Promise<ApiKey | undefined> =>
  tx.maybe(read(ApiKeyRow)`
  select id, name, permissions, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
         revoked_at as "revokedAt", last_used_at as "lastUsedAt"
    from api_key where org = app_org() and id = ${id} for update`);

export const findApiKey = (db: Reader, id: Id<'key'>): Promise<ApiKey | undefined> =>
  db.maybe(read(ApiKeyRow)`
  select id, name, permissions, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
         revoked_at as "revokedAt", last_used_at as "lastUsedAt"
    from api_key where org = app_org() and id = ${id}`);

export const saveKeyRevoked = (tx: Tx, id: Id<'key'>, at: Date): Promise<number> =>
  tx.run(write`update api_key set revoked_at = ${at} where org = app_org() and id = ${id} and revoked_at is null`);

/** Keys of a user that would work today; they end when the user leaves. */
export const countLiveKeys = (db: Reader, user: Id<'usr'>, now: Date): Promise<{ n: number }> =>
  db.one(read(z.object({ n: z.number() }))`
  select count(*)::int as n from api_key where org = app_org() and created_by = ${user} and revoked_at is null and expires_at > ${now}`);

/** 0: written down less than a minute ago. */
export const saveKeyUse = (tx: Tx, id: Id<'key'>, at: Date): Promise<number> =>
  tx.run(write`
  update api_key set last_used_at = ${at}
   where org = app_org() and id = ${id}
     and (last_used_at is null or last_used_at <= ${at}::timestamptz - make_interval(secs => ${KEY_USE_SECONDS}))`);

const FoundRow: z.ZodType<FoundApiKey> = z.object({
  org: z.custom<Id<'org'>>(),
  parent: z.custom<Id<'par'>>(),
  key: z.custom<Id<'key'>>(),
  permissions: z.array(z.string()),
  expiresAt: z.date(),
  revokedAt: z.date().nullable(),
  lastUsedAt: z.date().nullable(),
  creatorState: z.enum(['active', 'suspended']).nullable(),
  creatorRole: z.enum(memberRoles).nullable(),
});

/** For `Db.lookup`: the key that has this hash. */
export const lookupApiKey = (hash: Buffer) => read(FoundRow)`
  select org, parent, key, permissions, expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt",
         creator_state as "creatorState", creator_role as "creatorRole"
    from lookup_api_key(${hash})`;
