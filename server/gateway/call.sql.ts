import { z } from 'zod';
import { json, prepared, read, write, type Query, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { inboxRow } from '#audit/inbox.sql.ts';
import type { DecidedCall } from '#policy/decided-call.ts';
import type { SessionRead } from './session-read.sql.ts';

export type InboxRow = ReturnType<typeof inboxRow>;
export type OpenedCall = {
  id: Id<'tcl'>;
  connector: string;
  tool: string;
  member: string;
  user: string;
  client: string;
  /** Hex. */
  argsHash: string;
  at: Date;
};
export type EndedCall = {
  id: Id<'tcl'>;
  outcome: string;
  why: string | null;
  at: Date;
  /** Absent where policy was not asked. */
  decided?: DecidedCall | undefined;
  /** What the session of this call has read by it. */
  reads?: readonly SessionRead[] | undefined;
};

const Ended = z.object({ ended: z.array(z.custom<Id<'tcl'>>()) });

/**
 * Opens and ends calls of one org with their events, in one statement that is its own transaction. Of several that would end the same call,
 * the first does: `ended` has the ids for which this one was the first.
 */
export const recordCalls = (
  place: { parent: Id<'par'>; org: Id<'org'> },
  node: string,
  opens: readonly { call: OpenedCall; note: InboxRow }[],
  ends: readonly { call: EndedCall; note: InboxRow }[],
): Query<z.infer<typeof Ended>> =>
  prepared(
    'gateway_record_calls',
    read(
      Ended,
    )`select record_calls(${place.parent}, ${place.org}, ${node}, ${list(opens.map(opened))}, ${list(ends.map(ended))}, ${list(ends.flatMap((e) => (e.call.reads ?? []).map(wasRead)))}) as ended`,
  );

const list = (items: readonly string[]): string => `[${items.join(',')}]`;

// Header and data are JSON text already, and what is hashed later; they go in as they are.
const noted = (n: InboxRow): string => `"note":"${n.id}","header":${n.header},"data":${n.data},"salt":"${n.salt}"`;

const opened = ({ call: c, note }: { call: OpenedCall; note: InboxRow }): string =>
  `{"id":"${c.id}","at":"${c.at.toISOString()}","connector":"${c.connector}","tool":${json(c.tool)},"member":"${c.member}",` +
  `"user_id":"${c.user}","client":${json(c.client)},"args_hash":"${c.argsHash}",${noted(note)}}`;

const ended = ({ call: c, note }: { call: EndedCall; note: InboxRow }): string =>
  `{"id":"${c.id}","at":"${c.at.toISOString()}","outcome":"${c.outcome}","why":${json(c.why)},` +
  `${c.decided === undefined ? '' : decided(c.decided)}${noted(note)}}`;

const wasRead = (r: SessionRead): string => JSON.stringify(r);

// What was asked is JSON text already.
const decided = (d: DecidedCall): string =>
  `"answer":"${d.answer}","version":${json(d.version)},"engine":"${d.engine}","policies":${json(d.policies)},"asked":${d.asked ?? 'null'},`;

const LostCall = z.object({ id: z.custom<Id<'tcl'>>(), connector: z.string(), tool: z.string() });
/** Takes open calls of nodes whose lease is over and ends them as lost. */
export const loseCalls = (tx: Tx, limit: number): Promise<z.infer<typeof LostCall>[]> =>
  tx.many(read(LostCall)`
    with over as (
      select c.id from tool_call c
       where c.org = app_org() and c.outcome is null
         and not exists (select from gateway_node n where n.id = c.node and n.lease_until > now())
       order by c.opened_at limit ${limit} for update skip locked)
    update tool_call t set outcome = 'lost', closed_at = now() from over
     where t.org = app_org() and t.id = over.id
    returning t.id, t.connector, t.tool`);

const Scopes = z.object({ scopes: z.array(z.object({ parent: z.custom<Id<'par'>>(), org: z.custom<Id<'org'>>() })) });
/** For `Db.lookup`: where calls are lost. */
export const lookupLostCalls = (): Query<z.infer<typeof Scopes>> =>
  read(Scopes)`select coalesce(json_agg(l), '[]') as scopes from lookup_lost_calls() l`;

/** A new lease, or a longer one. By the database's clock, because the nodes that compare have clocks of their own. */
export const saveLease = (tx: Tx, node: string, seconds: number, address: string | undefined): Promise<number> =>
  tx.run(write`
    insert into gateway_node (id, started_at, lease_until, address) values (${node}, now(), now() + make_interval(secs => ${seconds}), ${address ?? null})
    on conflict (id) do update set lease_until = excluded.lease_until`);

/** Leases that ended a day ago. Their calls ended as lost long since. */
export const deleteLeases = (tx: Tx): Promise<number> =>
  tx.run(write`delete from gateway_node where lease_until < now() - interval '1 day'`);

/** A node that stops has ended its calls: nothing of it needs to wait for the lease. */
export const endLease = (tx: Tx, node: string): Promise<number> =>
  tx.run(write`update gateway_node set lease_until = now() where id = ${node}`);
