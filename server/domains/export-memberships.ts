import { csvLine } from '#audit/csv.ts';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import { MAX_PAGE } from '#kernel/limits.ts';
import { domainEvents } from './domains.events.ts';
import { listMemberships, type LastSignIns, type Membership } from './list-memberships.ts';
import { countAccounts } from './memberships.sql.ts';

const COLUMNS = [
  'email',
  'name',
  'domain',
  'state',
  'origin',
  'organization',
  'organization_name',
  'role',
  'last_sign_in',
  'method',
];

/** One line per account and organization; an account without any has one line. */
const csvOf = (m: Membership): string =>
  (m.orgs.length > 0 ? m.orgs : [undefined])
    .map((o) =>
      csvLine([
        m.email,
        m.displayName,
        m.domain,
        m.state,
        m.origin,
        o?.org,
        o?.name,
        o?.role,
        m.lastSignIn?.at.toISOString(),
        m.lastSignIn?.method,
      ]),
    )
    .join('');

const jsonOf = (m: Membership): string => JSON.stringify({ ...m, emailKey: undefined });

/** Every account under the verified domains, page by page, as text of the format. The reading is in the log before the first line leaves. */
export async function exportMemberships(
  ctx: Ctx,
  signIns: LastSignIns,
  format: 'csv' | 'json',
): Promise<AsyncGenerator<string, undefined>> {
  await change({ ...ctx, org: undefined }, async (tx) => {
    const { n: accounts } = await countAccounts(tx);
    return { value: undefined, events: [event(domainEvents, 'domain.memberships_exported', { format, accounts })] };
  });
  return pages();

  async function* pages(): AsyncGenerator<string, undefined> {
    yield format === 'csv' ? csvLine(COLUMNS) : '[';
    let after: readonly string[] | undefined;
    let first = true;
    for (;;) {
      const { items, next } = await listMemberships(ctx, signIns, { limit: MAX_PAGE, after });
      for (const m of items) {
        yield format === 'csv' ? csvOf(m) : `${first ? '\n' : ',\n'}${jsonOf(m)}`;
        first = false;
      }
      const last = items.at(-1);
      if (next === null || !last) break;
      after = [last.emailKey, last.user];
    }
    if (format === 'json') yield '\n]\n';
    return undefined;
  }
}
