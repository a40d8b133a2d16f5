import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { DAY_MS, dueWarning, WARN_DAYS } from './connection.ts';
import { findSamlConnection, listCertificates, lookupCertificatesEnding, saveWarned } from './connection.sql.ts';
import { samlEvents } from './saml.events.ts';

/** A certificate that ends, for whoever carries messages. `days` 0: it has ended. `last`: no other certificate of the connection lasts longer. */
export type EndingNews = {
  org: Id<'org'>;
  connection: Id<'sso'>;
  name: string;
  fingerprint: string;
  notAfter: Date;
  days: number;
  last: boolean;
};

/** Tells people; the room of mails stands above this one. Called inside the transaction: it must enqueue and never send. */
export type TellEnding = (tx: Tx, news: EndingNews & { parent: Id<'par'>; at: Date }) => Promise<void>;

/** Tells 30, 14, 7 and 1 days before a certificate ends, and when it has ended; each once. */
export async function warnCertificates(world: World, tell: TellEnding): Promise<number> {
  const now = world.now();
  const due = await world.db.lookup(lookupCertificatesEnding(new Date(now.getTime() + WARN_DAYS[0] * DAY_MS)));
  let told = 0;
  for (const { parent, org, connection } of due?.due ?? []) {
    const ctx = systemCtx(world, 'identity.saml_certificates', { parent });
    told += await change(ctx, async (tx) => {
      const c = await findSamlConnection(tx, connection);
      const all = await listCertificates(tx, connection);
      const events: AuditEvent[] = [];
      for (const k of all) {
        const days = dueWarning(k, now);
        if (!c || days === undefined) continue;
        const last = !all.some((o) => o.notAfter > k.notAfter);
        await saveWarned(tx, connection, k.fingerprint, days);
        const news = { connection, fingerprint: k.fingerprint, days, last };
        events.push(event(samlEvents, 'sso.saml_certificate_ending', { ...news, notAfter: k.notAfter.toISOString() }));
        await tell(tx, { ...news, parent, org, name: c.name, notAfter: k.notAfter, at: now });
      }
      const [first, ...rest] = events;
      return first ? { value: events.length, events: [first, ...rest] } : { value: 0, unchanged: true };
    });
  }
  return told;
}
