import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { idpMethods, otherMethods, Stage, type OtherMethod, type SignInTrace } from './sign-in-trace.ts';

const Common = z.object({
  id: z.custom<Id<'sgn'>>(),
  at: z.date(),
  subject: z.string().nullable(),
  outcome: z.string(),
  stages: z.array(Stage),
});
const TraceRow: z.ZodType<SignInTrace> = z.discriminatedUnion('method', [
  Common.extend({
    method: z.enum(idpMethods),
    connection: z.custom<Id<'sso'>>(),
    user: z.custom<Id<'usr'>>().nullable(),
  }),
  Common.extend({ method: z.enum(otherMethods), connection: z.null(), user: z.custom<Id<'usr'>>() }),
]);

export const insertTrace = (tx: Tx, t: SignInTrace): Promise<number> =>
  tx.run(write`
  insert into sign_in_trace (parent, id, at, method, connection, user_id, subject, outcome, stages)
  values (app_parent(), ${t.id}, ${t.at}, ${t.method}, ${t.connection}, ${t.user}, ${t.subject}, ${t.outcome}, ${json(t.stages)})`);

/** Newest first. `q` is looked for in outcome, subject, e-mail and what the stages say; an id is found whole. */
export const listTraces = (
  db: Reader,
  f: {
    q?: string | undefined;
    outcome?: string | undefined;
    method?: SignInTrace['method'] | undefined;
    after?: readonly string[] | undefined;
    limit: number;
  },
): Promise<SignInTrace[]> =>
  db.many(read(TraceRow)`
  select t.id, t.at, t.method, t.connection, t.user_id as user, t.subject, t.outcome, t.stages
    from sign_in_trace t left join app_user u on u.id = t.user_id and u.parent = t.parent
   where t.parent = app_parent()
     and (${containing(f.q)}::text is null or t.outcome ilike ${containing(f.q)} or t.subject ilike ${containing(f.q)}
          or u.email ilike ${containing(f.q)} or t.stages::text ilike ${containing(f.q)} or ${f.q ?? ''} in (t.id, t.connection, t.user_id))
     and (${f.outcome ?? null}::text is null or t.outcome = ${f.outcome ?? null})
     and (${f.method ?? null}::text is null or t.method = ${f.method ?? null})
     and (${f.after?.[0] ?? null}::text is null or t.id < ${f.after?.[0] ?? ''})
   order by t.id desc
   limit ${f.limit + 1}`);

export const findTrace = (db: Reader, id: Id<'sgn'>): Promise<SignInTrace | undefined> =>
  db.maybe(read(TraceRow)`
  select id, at, method, connection, user_id as user, subject, outcome, stages from sign_in_trace where parent = app_parent() and id = ${id}`);

/** How often somebody's passkey or link was refused since `since`: an address or a link in a mail may be in many hands, so it is counted. */
export const countRefused = (
  db: Reader,
  r: { method: OtherMethod; user: Id<'usr'>; since: Id<'sgn'>; most: number },
): Promise<{ n: number }> =>
  db.one(read(z.object({ n: z.number() }))`
  select count(*)::int as n from (
    select 1 from sign_in_trace where parent = app_parent() and id >= ${r.since} and method = ${r.method} and user_id = ${r.user}
       and outcome <> 'signed_in' limit ${r.most}) t`);

/** How often assertions of a connection were refused since `since`: whoever has a client can send rubbish, so it is counted. */
export const countRefusedAssertions = (
  db: Reader,
  r: { connection: Id<'sso'>; since: Id<'sgn'>; most: number },
): Promise<{ n: number }> =>
  db.one(read(z.object({ n: z.number() }))`
  select count(*)::int as n from (
    select 1 from sign_in_trace where parent = app_parent() and id >= ${r.since} and method = 'id_jag' and connection = ${r.connection}
       and outcome <> 'vouched' limit ${r.most}) t`);
