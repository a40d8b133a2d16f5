import type { Reader } from '#kernel/db.ts';
import { parseId, type Id } from '#kernel/id.ts';
import type { ConnectionWords } from '#notify/words.ts';
import { findApp } from '#vault/connector-app.sql.ts';
import { findConnector } from '../connector.sql.ts';
import { clockWords, day, failed, healthOf, stepOf } from './connection-health.ts';
import { countFailed, findListed, listChecks, listDigest, type Listed } from './connections.sql.ts';

const accountOf = ({ connection: c }: Listed): string => c.account?.label ?? 'whose name is not known';

/** What a mail tells a person of a connection, as it is when it goes out. */
export async function connectionWords(db: Reader, id: Id<'cnn'>): Promise<ConnectionWords | undefined> {
  const l = await findListed(db, id);
  if (!l || l.connection.standing.state === 'revoked') return undefined;
  const { refresh, idle, given } = l.connection.expiry;
  const { standing: s } = l.connection;
  return {
    connector: l.connector.name,
    account: accountOf(l),
    ends: { refresh, idle, given },
    trouble:
      failed(l.connection) && s.state !== 'active' ? `${l.connector.name} does not accept it (${s.why})` : undefined,
  };
}

/** The lines of one mail to administrators: what each is about, what is the matter now, what to do. What is moot by now is left out. */
export async function connectionDigest(db: Reader, digest: string, now: Date): Promise<string[]> {
  const lines: string[] = [];
  for (const a of await listDigest(db, digest)) {
    const connection = parseId('cnn', a.about);
    const line = connection ? await ofConnection(db, connection, a, now) : await ofApp(db, a, now);
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

type Row = Awaited<ReturnType<typeof listDigest>>[number];

async function ofConnection(db: Reader, id: Id<'cnn'>, a: Row, now: Date): Promise<string | undefined> {
  const l = await findListed(db, id);
  if (!l || l.connection.standing.state === 'revoked') return undefined;
  const whose = l.person ? `${l.person.name}'s account ${accountOf(l)}` : `the organization's account ${accountOf(l)}`;
  const what = `“${l.connector.name}”, ${whose}`;
  if (a.over) return `${what}: works again.`;
  const check = (await listChecks(db, [id])).get(id)?.check;
  const app = await findApp(db, l.connection.connector);
  // An end that was told stays what it was, unless it has moved.
  const { expiry } = l.connection;
  const end = a.clock === 'refresh' || a.clock === 'idle' || a.clock === 'given' ? expiry[a.clock] : undefined;
  if (end) {
    if (end.getTime() !== a.ends.getTime() && stepOf(end, now) === undefined) return undefined;
    return `${what}: ${clockWords[a.clock as 'given']} ${end <= now ? 'ended' : 'ends'} on ${day(end)}. ${l.person ? 'The person was told to connect it again.' : 'Give the account of the organization anew before then.'}`;
  }
  const health = healthOf({ connection: l.connection, rotates: false, app, check }, l.connector.name, now);
  if (health.state === 'good') return undefined;
  return `${what}: ${health.says}. ${l.person ? 'The person was told.' : `What to do: ${health.fix ?? 'look at it'}.`}`;
}

async function ofApp(db: Reader, a: Row, now: Date): Promise<string | undefined> {
  const id = parseId('con', a.about);
  const connector = id && (await findConnector(db, id));
  if (!connector) return undefined;
  const app = await findApp(db, connector.id);
  const what = `“${connector.name}”, the organization's app`;
  if (a.clock === 'many') {
    const { failed: n, live } = await countFailed(db, connector.id, new Date(a.told.getTime() - MANY_WITHIN_MS));
    return `“${connector.name}”: ${n} of ${live} connections stopped being accepted within an hour. It is hardly each person's own doing: look at the vendor's admin console for a policy, a block of the app or an incident.`;
  }
  if (a.over) return `${what}: is accepted again.`;
  if (!app) return undefined;
  if (a.clock === 'app')
    return app.ends && stepOf(app.ends, now) !== undefined
      ? `${what}: its secret or certificate ${app.ends <= now ? 'ended' : 'ends'} on ${day(app.ends)}, and every connection with it. Make a new one at the vendor and enter it before then.`
      : undefined;
  return app.failingSince
    ? `${what}: the vendor has refused it since ${day(app.failingSince)}, so no connection can be renewed. Make a new secret or certificate at the vendor and enter it.`
    : undefined;
}

/** Connections of one connector that fail within this time belong together. */
export const MANY_WITHIN_MS = 3_600_000;
