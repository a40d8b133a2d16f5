import { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { memberRoles } from '#org/member.ts';
import { inOrg } from '#org/org.http.ts';
import { dlpActions, phases } from '../verdict.ts';
import { addScanner } from './add-scanner.ts';
import { changeScanner } from './change-scanner.ts';
import { removeScanner } from './remove-scanner.ts';
import { rotateScannerSecret } from './rotate-scanner-secret.ts';
import {
  betaReason,
  DEFAULT_TIMEOUT_MS,
  MAX_TIMEOUT_MS,
  noScanner,
  ScannerConfig,
  scannerKinds,
  type Scanner,
} from './scanner.ts';
import { runtimeOf } from './scanner-runtime.ts';
import { findScanner, listScanners } from './scanner.sql.ts';
import { testScanner } from './test-scanner.ts';

const InOrg = z.object({ org: z.string() });
/** What cannot be an id of ours is answered like a scanner that does not exist. */
const scannerPath = z.string().transform((text): Id<'scn'> => {
  const id = parseId('scn', text);
  if (!id) throw noScanner(text.slice(0, 60));
  return id;
});
const One = z.object({ org: z.string(), scn: scannerPath });

const line = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'expected one line without control or invisible characters');
const distinct = (of: readonly string[]): boolean => new Set(of).size === of.length;
const group = z.string().transform((text, c): Id<'grp'> => {
  const id = parseId('grp', text);
  if (!id) {
    c.addIssue({ code: 'custom', message: 'expected the id of a group' });
    return z.NEVER;
  }
  return id;
});
const settings = {
  name: line,
  config: ScannerConfig,
  allowPrivate: z.boolean(),
  phases: z.array(z.enum(phases)).min(1).refine(distinct, 'each phase once'),
  mode: z.enum(['shadow', 'enforce']),
  percentage: z.number().int().min(0).max(100),
  failMode: z.enum(['open', 'closed']).nullable(),
  timeoutMs: z.number().int().min(1).max(MAX_TIMEOUT_MS),
  excludedRoles: z.array(z.enum(memberRoles)).refine(distinct, 'each role once'),
  excludedGroups: z.array(group).max(100).refine(distinct, 'each group once'),
  state: z.enum(['on', 'off']),
};
const Draft = z.strictObject({
  ...settings,
  allowPrivate: settings.allowPrivate.default(false),
  phases: settings.phases.default(['prompt']),
  mode: settings.mode.default('shadow'),
  percentage: settings.percentage.default(100),
  failMode: settings.failMode.default(null),
  timeoutMs: settings.timeoutMs.default(DEFAULT_TIMEOUT_MS),
  excludedRoles: settings.excludedRoles.default([]),
  excludedGroups: settings.excludedGroups.default([]),
  state: settings.state.default('on'),
  credentials: z.record(z.string(), z.unknown()).default({}),
});
const Edit = z.strictObject({ ...settings, credentials: z.record(z.string(), z.unknown()) }).partial();

const Breaker = z.object({
  state: z.enum(['closed', 'open', 'half_open']),
  failures: z.number().optional(),
  since: z.string().optional(),
  probeFrom: z.string().optional(),
});
const HealthShown = z.object({
  /** The process that answers this request; others have a breaker of their own. */
  node: z.string(),
  breaker: Breaker,
  verdicts: z.record(z.enum(dlpActions), z.number()),
  failures: z.number(),
  skipped: z.number(),
  recent: z.array(z.object({ at: z.string(), why: z.string(), says: z.string() })),
});
const Shown = z.object({
  id: z.string(),
  kind: z.enum(scannerKinds),
  ...settings,
  excludedGroups: z.array(z.string()),
  /** Written from documents and not yet run against the real product; `betaReason` says what that means. */
  beta: z.boolean(),
  betaReason: z.string().nullable(),
  secret: z.object({ generation: z.number(), since: z.string().nullable(), previousUntil: z.string().nullable() }),
  health: HealthShown,
  created: z.string(),
});

function shown(ctx: Ctx, s: Scanner): z.input<typeof Shown> {
  const { breaker, recent, ...health } = runtimeOf(ctx).healthOf(s);
  const { secrets, created, ...rest } = s;
  const reason = betaReason(s.config.kind);
  const still = secrets.previous && secrets.previous.until > ctx.now ? secrets.previous.until : undefined;
  return {
    ...rest,
    kind: s.config.kind,
    phases: [...s.phases],
    excludedRoles: [...s.excludedRoles],
    excludedGroups: [...s.excludedGroups],
    beta: reason !== undefined,
    betaReason: reason ?? null,
    secret: {
      generation: secrets.generation,
      since: secrets.current?.since.toISOString() ?? null,
      previousUntil: still?.toISOString() ?? null,
    },
    health: {
      ...health,
      breaker: {
        state: breaker.state,
        ...('failures' in breaker ? { failures: breaker.failures } : { since: breaker.since.toISOString() }),
        ...('probeFrom' in breaker ? { probeFrom: breaker.probeFrom.toISOString() } : {}),
      },
      recent: recent.map((r) => ({ ...r, at: r.at.toISOString() })),
    },
    created: created.toISOString(),
  };
}

const WithSecret = Shown.extend({
  /** Shown this once, and only if it was made here. */
  signingSecret: z.string().nullable(),
});
const Tested = z.object({
  outcome: z.enum(['verdict', 'timeout', 'unreachable', 'refused', 'malformed', 'breaker_open', 'broken']),
  action: z.enum(dlpActions).nullable(),
  reason: z.string().nullable(),
  reference: z.string().nullable(),
  says: z.string().nullable(),
});

export const scannerOperations: readonly Operation[] = [
  operation({
    id: 'dlp.list_scanners',
    at: 'GET /orgs/:org/dlp/scanners',
    can: 'policy.read',
    says: 'Lists the outside scanners with their settings and how they do on the node that answers; q searches their names.',
    params: InOrg,
    query: ListQuery,
    reply: listOf(Shown),
    async handle(ctx, { query: { q, cursor, limit } }) {
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listScanners(db, { q, after: cursor, limit }));
      const page = listed(rows, limit, (s) => [s.id]);
      return { items: page.items.map((s) => shown(ctx, s)), next: page.next };
    },
  }),
  operation({
    id: 'dlp.add_scanner',
    at: 'POST /orgs/:org/dlp/scanners',
    can: 'policy.manage',
    says: 'Makes an outside scanner known, in shadow mode unless said otherwise. A webhook’s signing secret is in the answer, once.',
    params: InOrg,
    body: Draft,
    status: 201,
    reply: WithSecret,
    async handle(ctx, { body }) {
      const { scanner, signingSecret } = await addScanner(inOrg(ctx), body);
      return { ...shown(ctx, scanner), signingSecret: signingSecret ?? null };
    },
    headers: (value, ctx) => ({ location: `${ctx.origin}/api/orgs/${ctx.org}/dlp/scanners/${value.id}` }),
  }),
  operation({
    id: 'dlp.get_scanner',
    at: 'GET /orgs/:org/dlp/scanners/:scn',
    can: 'policy.read',
    says: 'Shows an outside scanner: settings, breaker, counts and the latest failures on the node that answers.',
    params: One,
    reply: Shown,
    async handle(ctx, { params: { scn } }) {
      const s = await ctx.db.read(scopeOf(ctx), (db) => findScanner(db, scn));
      if (!s) throw noScanner(scn);
      return shown(ctx, s);
    },
  }),
  operation({
    id: 'dlp.change_scanner',
    at: 'PATCH /orgs/:org/dlp/scanners/:scn',
    can: 'policy.manage',
    says: 'Changes settings of an outside scanner. When its address moves to another host, its credentials are given again.',
    params: One,
    body: Edit,
    reply: Shown,
    handle: async (ctx, { params, body }) => shown(ctx, await changeScanner(inOrg(ctx), params.scn, body)),
  }),
  operation({
    id: 'dlp.remove_scanner',
    at: 'DELETE /orgs/:org/dlp/scanners/:scn',
    can: 'policy.manage',
    says: 'Removes an outside scanner and its secrets.',
    params: One,
    status: 204,
    reply: z.undefined(),
    handle: (ctx, { params }) => removeScanner(inOrg(ctx), params.scn),
  }),
  operation({
    id: 'dlp.rotate_scanner_secret',
    at: 'POST /orgs/:org/dlp/scanners/:scn/rotate-secret',
    can: 'policy.manage',
    says: 'Gives an outside scanner new credentials; the ones before count too for the time given, so that nothing is refused meanwhile.',
    params: One,
    body: z.strictObject({
      credentials: z.record(z.string(), z.unknown()).optional(),
      overlapMinutes: z.number().int().min(0).max(43_200).default(1440),
    }),
    reply: WithSecret,
    async handle(ctx, { params, body }) {
      const { scanner, signingSecret } = await rotateScannerSecret(inOrg(ctx), params.scn, body);
      return { ...shown(ctx, scanner), signingSecret: signingSecret ?? null };
    },
  }),
  operation({
    id: 'dlp.test_scanner',
    at: 'POST /orgs/:org/dlp/scanners/:scn/test',
    can: 'policy.manage',
    says: 'Sends a sample to an outside scanner and shows its verdict, or why there is none.',
    params: One,
    body: z.strictObject({
      phase: z.enum(phases).default('prompt'),
      text: z.string().min(1).max(100_000).optional(),
      /** For whom; Purview decides for people. */
      email: z.email().max(320).optional(),
    }),
    reply: Tested,
    async handle(ctx, { params, body }) {
      const r = await testScanner(inOrg(ctx), params.scn, body);
      return r.outcome === 'verdict'
        ? { ...r, says: null }
        : { outcome: r.outcome, action: null, reason: null, reference: null, says: r.says };
    },
  }),
];
