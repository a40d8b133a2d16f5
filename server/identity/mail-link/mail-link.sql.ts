import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { MailLink } from './mail-link.ts';

const Counted = z.object({ ofAddress: z.number(), ofClient: z.number() });

/** Counts one question, and says how many there were this hour. */
export const countAsk = (tx: Tx, a: { address: Buffer; client: Buffer }, at: Date): Promise<z.infer<typeof Counted>> =>
  tx.one(read(Counted)`
  select of_address as "ofAddress", of_client as "ofClient" from count_mail_link_ask(${a.address}, ${a.client}, ${at})`);

/** For `Db.lookup`, by the job alone: the accounts of an address and the organization whose mail it would be; null: they may not sign in by mail. */
export const lookupAccounts = (email: string) =>
  read(
    z.object({
      accounts: z.array(
        z.object({
          parent: z.custom<Id<'par'>>(),
          user: z.custom<Id<'usr'>>(),
          org: z.custom<Id<'org'>>().nullable(),
          active: z.boolean(),
        }),
      ),
    }),
  )`
  select coalesce(json_agg(json_build_object('parent', parent, 'user', user_id, 'org', org, 'active', active)), '[]') as accounts
    from lookup_mail_link_accounts(${email})`;

const LinkRow: z.ZodType<MailLink> = z.object({
  id: z.custom<Id<'mlk'>>(),
  user: z.custom<Id<'usr'>>(),
  org: z.custom<Id<'org'>>(),
  browserHash: z.instanceof(Buffer),
  returnTo: z.string(),
  expiresAt: z.date(),
  usedAt: z.date().nullable(),
});

export const insertMailLink = (tx: Tx, l: Omit<MailLink, 'usedAt'>, at: Date): Promise<number> =>
  tx.run(write`
  insert into mail_link (parent, id, user_id, org, browser_hash, return_to, created_at, expires_at)
  values (app_parent(), ${l.id}, ${l.user}, ${l.org}, ${l.browserHash}, ${l.returnTo}, ${at}, ${l.expiresAt})`);

/** Links that ended some time ago; kept for a day, so that whoever comes late is told why. */
export const deleteOldMailLinks = (tx: Tx, before: Date): Promise<number> =>
  tx.run(write`delete from mail_link where parent = app_parent() and expires_at < ${before}`);

export const findMailLink = (db: Reader, id: Id<'mlk'>): Promise<MailLink | undefined> =>
  db.maybe(read(LinkRow)`
  select id, user_id as user, org, browser_hash as "browserHash", return_to as "returnTo", expires_at as "expiresAt", used_at as "usedAt"
    from mail_link where parent = app_parent() and id = ${id}`);

/** 0: someone was faster. */
export const saveMailLinkUsed = (tx: Tx, id: Id<'mlk'>, at: Date): Promise<number> =>
  tx.run(
    write`update mail_link set used_at = ${at} where parent = app_parent() and id = ${id} and used_at is null and expires_at > ${at}`,
  );

/** For `Db.lookup`: whose link this is. */
export const lookupMailLinkParent = (id: Id<'mlk'>) =>
  read(z.object({ parent: z.custom<Id<'par'>>().nullable() }))`select lookup_mail_link(${id}) as parent`;

/** The organization whose mail it would be; null: one of the person's organizations does not allow mail links, or there is none. */
export const findMailOrg = (db: Reader, user: Id<'usr'>): Promise<{ org: Id<'org'> | null }> =>
  db.one(read(z.object({ org: z.custom<Id<'org'>>().nullable() }))`select mail_link_org_of_user(${user}) as org`);
