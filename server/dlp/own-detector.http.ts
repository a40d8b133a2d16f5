import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId } from '#kernel/id.ts';
import { MiB } from '#kernel/limits.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { addOwnDetector } from './add-own-detector.ts';
import { line } from './dlp.http.ts';
import { severities } from './dlp-policy.ts';
import { OwnDraft, ownKinds, type OwnDetector } from './own-detector.ts';
import { listOwnDetectors } from './own-detector.sql.ts';
import { noDetector, removeOwnDetector } from './remove-own-detector.ts';
import { tryDetector } from './try-detector.ts';

const InOrg = z.object({ org: z.string() });
/** An exact table of 20,000 records comes at once. */
const MAX_TABLE_BYTES = 8 * MiB;

const DetectorShown = z.object({
  id: z.string(),
  name: z.string(),
  severity: z.enum(severities),
  kind: z.enum(ownKinds),
  /** How many terms, phrases or records; what they are is not shown again. */
  entries: z.number().int(),
  createdBy: z.string(),
  createdAt: z.string(),
});
const shown = (d: OwnDetector): z.input<typeof DetectorShown> => ({ ...d, createdAt: d.createdAt.toISOString() });

/** What an organization itself calls confidential. */
export const ownDetectorOperations: readonly Operation[] = [
  operation({
    id: 'dlp.list_detectors',
    at: 'GET /orgs/:org/dlp/detectors',
    can: 'policy.read',
    says: "Lists the organization's own detectors, oldest first, never what they look for; q searches their names.",
    params: InOrg,
    query: ListQuery,
    reply: listOf(DetectorShown),
    async handle(ctx, { query }) {
      const { limit, q, cursor } = query;
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listOwnDetectors(db, { limit, q, after: cursor }));
      const page = listed(rows, limit, (r) => [r.id]);
      return { items: page.items.map(shown), next: page.next };
    },
  }),
  operation({
    id: 'dlp.add_detector',
    at: 'POST /orgs/:org/dlp/detectors',
    can: 'policy.manage',
    says: 'Adds terms, a pattern, a dictionary or a table of exact values, of which only digests are kept. Its baseline is that of its severity.',
    params: InOrg,
    maxBody: MAX_TABLE_BYTES,
    body: z.strictObject({ name: line, severity: z.enum(severities).default('high'), finds: OwnDraft }),
    reply: DetectorShown,
    status: 201,
    handle: async (ctx, { body }) => shown(await addOwnDetector(inOrg(ctx), body)),
    headers: (d, ctx) => ({ location: `/api/orgs/${ctx.org}/dlp/detectors/${d.id}` }),
  }),
  operation({
    id: 'dlp.try_detector',
    at: 'POST /orgs/:org/dlp/detectors/try',
    can: 'policy.manage',
    says: 'Says where a detector would find something in a text. Neither is kept.',
    params: InOrg,
    maxBody: MAX_TABLE_BYTES,
    body: z.strictObject({ finds: OwnDraft, text: z.string().max(1_000_000) }),
    reply: z.object({
      findings: z.array(z.object({ start: z.number().int(), end: z.number().int(), layers: z.array(z.string()) })),
    }),
    handle: async (ctx, { body }) => ({
      findings: (await tryDetector(inOrg(ctx), body.finds, body.text))
        .slice(0, 200)
        .map((m) => ({ ...m, layers: [...m.layers] })),
    }),
  }),
  operation({
    id: 'dlp.remove_detector',
    at: 'DELETE /orgs/:org/dlp/detectors/:detector',
    can: 'policy.manage',
    says: "Takes a detector of the organization's own out of force and forgets what it knew.",
    params: InOrg.extend({ detector: z.string() }),
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params }) {
      const id = parseId('ddt', params.detector);
      if (!id) throw noDetector(params.detector);
      await removeOwnDetector(inOrg(ctx), id);
      return {};
    },
  }),
];
