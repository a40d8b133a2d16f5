import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { OrgAccess } from './org-access.ts';

const AccessRow: z.ZodType<OrgAccess> = z.object({
  sessionIdleS: z.number().nullable(),
  sessionMaxS: z.number().nullable(),
  addresses: z.array(z.string()),
  passkeys: z.boolean(),
  mailLinks: z.boolean(),
});

/** Undefined: the organization never said anything. */
export const findOrgAccess = (db: Reader): Promise<OrgAccess | undefined> =>
  db.maybe(read(AccessRow)`
  select session_idle_s as "sessionIdleS", session_max_s as "sessionMaxS", addresses, passkeys, mail_links as "mailLinks" from org_access where org = app_org()`);

/** 0: it is so already. */
export const saveOrgAccess = (tx: Tx, a: OrgAccess, at: Date): Promise<number> =>
  tx.run(write`
  insert into org_access as a (org, session_idle_s, session_max_s, addresses, passkeys, mail_links, changed_at)
  values (app_org(), ${a.sessionIdleS}, ${a.sessionMaxS}, ${a.addresses}, ${a.passkeys}, ${a.mailLinks}, ${at})
  on conflict (org) do update
     set session_idle_s = excluded.session_idle_s, session_max_s = excluded.session_max_s, addresses = excluded.addresses,
         passkeys = excluded.passkeys, mail_links = excluded.mail_links, changed_at = excluded.changed_at
   where (a.session_idle_s, a.session_max_s, a.addresses, a.passkeys, a.mail_links)
         is distinct from (excluded.session_idle_s, excluded.session_max_s, excluded.addresses, excluded.passkeys, excluded.mail_links)`);
