import { z } from 'zod';
import { json, read, sql, write, type Fragment, type Query, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { memberRoles } from '#org/member.ts';
import { phases } from '../verdict.ts';
import { ScannerConfig, type Scanner, type SealedSecrets } from './scanner.ts';

const ScannerRow = z
  .object({
    id: z.custom<Id<'scn'>>(),
    name: z.string(),
    config: ScannerConfig,
    allowPrivate: z.boolean(),
    phases: z.array(z.enum(phases)),
    mode: z.enum(['shadow', 'enforce']),
    percentage: z.number(),
    failMode: z.enum(['open', 'closed']).nullable(),
    timeoutMs: z.number(),
    excludedRoles: z.array(z.enum(memberRoles)),
    excludedGroups: z.array(z.custom<Id<'grp'>>()),
    state: z.enum(['on', 'off']),
    secret: z.instanceof(Buffer).nullable(),
    generation: z.number(),
    since: z.date().nullable(),
    previous: z.instanceof(Buffer).nullable(),
    until: z.date().nullable(),
    created: z.date(),
  })
  .transform(({ secret, generation, since, previous, until, ...s }): Scanner => ({
    ...s,
    secrets: {
      generation,
      current: secret && since ? { sealed: secret, since } : undefined,
      previous: previous && until ? { sealed: previous, until } : undefined,
    },
  }));

const selected = (rest: Fragment): Query<Scanner> =>
  read(ScannerRow)`
    select id, name, config, allow_private as "allowPrivate", phases, mode, percentage, fail_mode as "failMode", timeout_ms as "timeoutMs",
           excluded_roles as "excludedRoles", excluded_groups as "excludedGroups", state, secret, secret_generation as generation,
           secret_since as since, previous_secret as previous, previous_until as until, created_at as created
      from dlp_scanner where org = app_org() and removed_at is null ${rest}`;

/** Those that are on, for inspection; an org has a few. */
export const listActiveScanners = (db: Reader): Promise<Scanner[]> =>
  db.many(selected(sql`and state = 'on' order by id`));

type Page = { q?: string | undefined; after?: readonly string[] | undefined; limit: number };

/** Oldest first, one more than asked. */
export const listScanners = (db: Reader, { q, after, limit }: Page): Promise<Scanner[]> =>
  db.many(
    selected(sql`and (${containing(q)}::text is null or name ilike ${containing(q)})
       and (${after?.[0] ?? null}::text is null or id > ${after?.[0] ?? null}) order by id limit ${limit + 1}`),
  );

export const findScanner = (db: Reader, id: Id<'scn'>): Promise<Scanner | undefined> =>
  db.maybe(selected(sql`and id = ${id}`));

/** Takes the row for the rest of the transaction. */
export const lockScanner = (tx: Tx, id: Id<'scn'>): Promise<Scanner | undefined> =>
  tx.maybe(selected(sql`and id = ${id} for update`));

/** 0: the name is taken. */
export const insertScanner = (tx: Tx, s: Scanner, by: string): Promise<number> =>
  tx.run(write`
    insert into dlp_scanner (org, id, kind, name, config, allow_private, phases, mode, percentage, fail_mode, timeout_ms, excluded_roles,
                             excluded_groups, state, secret, secret_generation, secret_since, created_by, created_at)
    values (app_org(), ${s.id}, ${s.config.kind}, ${s.name}, ${json(s.config)}, ${s.allowPrivate}, ${s.phases}, ${s.mode}, ${s.percentage},
            ${s.failMode}, ${s.timeoutMs}, ${s.excludedRoles}, ${s.excludedGroups}, ${s.state}, ${s.secrets.current?.sealed ?? null},
            ${s.secrets.generation}, ${s.secrets.current?.since ?? null}, ${by}, ${s.created})
    on conflict (org, lower(name)) where removed_at is null do nothing`);

/** Everything but the secrets. The name must be free. */
export const saveScanner = (tx: Tx, s: Scanner): Promise<number> =>
  tx.run(write`
    update dlp_scanner set name = ${s.name}, config = ${json(s.config)}, allow_private = ${s.allowPrivate}, phases = ${s.phases}, mode = ${s.mode},
           percentage = ${s.percentage}, fail_mode = ${s.failMode}, timeout_ms = ${s.timeoutMs}, excluded_roles = ${s.excludedRoles},
           excluded_groups = ${s.excludedGroups}, state = ${s.state}
     where org = app_org() and id = ${s.id}`);

export const saveScannerSecrets = (tx: Tx, id: Id<'scn'>, s: SealedSecrets): Promise<number> =>
  tx.run(write`
    update dlp_scanner set secret = ${s.current?.sealed ?? null}, secret_since = ${s.current?.since ?? null}, secret_generation = ${s.generation},
           previous_secret = ${s.previous?.sealed ?? null}, previous_until = ${s.previous?.until ?? null}
     where org = app_org() and id = ${id}`);

const Taken = z.object({ id: z.string() });
export const findNamesake = (db: Reader, name: string, but: Id<'scn'>): Promise<{ id: string } | undefined> =>
  db.maybe(read(Taken)`
    select id from dlp_scanner where org = app_org() and removed_at is null and lower(name) = lower(${name}) and id <> ${but}`);

/** The row stays for the log; the secrets go. */
export const saveScannerRemoved = (tx: Tx, id: Id<'scn'>, by: string, at: Date): Promise<number> =>
  tx.run(write`
    update dlp_scanner set state = 'off', removed_by = ${by}, removed_at = ${at}, secret = null, secret_since = null, previous_secret = null,
           previous_until = null
     where org = app_org() and id = ${id}`);
