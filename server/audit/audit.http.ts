import { z } from 'zod';
import { entryBytes, entryHeader } from '@gatehouse/contract/leaf.ts';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { MAX_PAGE } from '#kernel/limits.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { originOf, signerOf } from './checkpoint-key.ts';
import { exportLog } from './export-log.ts';
import { findEvent } from './find-event.ts';
import { logOf, type LogId } from './inbox.sql.ts';
import { listEvents, type From } from './list-events.ts';
import { readingRecorder } from './record-reading.ts';
import { shownEvent, ShownEvent, type Vocabulary } from './shown-event.ts';
import { findCheckpoint } from './tree.sql.ts';

const Org = z.strictObject({ org: z.string() });
const Which = z
  .enum(['org', 'parent'])
  .default('org')
  .describe("The organization's own log, or its parent's: users, domains, directories, sign-in.");
const position = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const word = z.string().min(1).max(200);

const logFor = (ctx: Ctx, which: 'org' | 'parent'): LogId => (which === 'parent' ? ctx.parent : logOf(ctx));

const Query = z.strictObject({
  log: Which,
  before: position
    .optional()
    .describe('Events before this position, newest first. Without `before` and `after`: the newest.'),
  after: z.coerce
    .number()
    .int()
    .min(-1)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Events after this position, oldest first; -1 begins at the beginning.'),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
  type: word.optional(),
  actor: word.optional().describe('Id of who acted.'),
  connector: word.optional(),
  call: word.optional(),
  text: word.optional().describe('Anywhere in the event. A page looks at 20,000 positions at most; follow `next`.'),
});

function fromOf(q: { before?: number | undefined; after?: number | undefined }): From {
  if (q.after === undefined) return { before: q.before };
  if (q.before !== undefined)
    throw new Problem('invalid', 'audit/two-cursors', {
      says: '`before` and `after` were both given',
      fix: 'give one of them',
    });
  return { after: q.after };
}

/** Operations over the log, for the door `/api`. `vocabulary` is every room's declarations, for the sentences. */
export function auditOperations(vocabulary: Vocabulary): Operation[] {
  const recordReading = readingRecorder();
  return [
    operation({
      id: 'audit.list_events',
      at: 'GET /orgs/:org/audit/events',
      can: 'audit.read',
      says: 'One page of the log, by position. Reading leaves an event.',
      discloses: true,
      params: Org,
      query: Query,
      reply: z.object({
        log: z.string(),
        size: z.number().int(),
        events: z.array(ShownEvent),
        next: z.number().int().nullable(),
      }),
      async handle(ctx, { query: { log: which, before, after, limit, ...filter } }) {
        const log = logFor(ctx, which);
        const asked = Object.entries(filter).flatMap(([k, v]) => (v === undefined ? [] : [`${k} ${v}`]));
        await recordReading(ctx, {
          log,
          from: after ?? null,
          to: before ?? null,
          filter: asked.join(', ').slice(0, 300) || null,
        });
        return listEvents(ctx, vocabulary, log, { from: fromOf({ before, after }), limit, filter });
      },
    }),
    operation({
      id: 'audit.get_event',
      at: 'GET /orgs/:org/audit/events/:seq',
      can: 'audit.read',
      says: 'One event with the proof that it is in the log that the checkpoint was signed for. Reading leaves an event.',
      discloses: true,
      params: z.strictObject({ org: z.string(), seq: position }),
      query: z.strictObject({ log: Which }),
      reply: z.object({
        event: ShownEvent,
        entry: z.string().describe('The exact bytes that the leaf hash is over (canonical JSON).'),
        salt: z.string(),
        proof: z.object({ checkpoint: z.string(), size: z.number().int(), hashes: z.array(z.string()) }).nullable(),
      }),
      async handle(ctx, { params, query }) {
        const log = logFor(ctx, query.log);
        const { row, proof } = await findEvent(ctx, log, params.seq);
        await recordReading(ctx, { log, from: params.seq, to: params.seq, filter: `event ${params.seq}` });
        return {
          event: shownEvent(vocabulary, row),
          entry: entryBytes(entryHeader(row.header, row.seq, row.commitment)).toString(),
          salt: row.salt.toString('hex'),
          proof: proof ? { ...proof, hashes: proof.hashes.map((h) => h.toString('base64')) } : null,
        };
      },
    }),
    page({
      id: 'audit.export_log',
      at: 'GET /orgs/:org/audit/export',
      can: 'audit.export',
      says: 'The log up to its newest checkpoint, as JSONL that can be verified offline or as CSV. Leaves an event.',
      discloses: true,
      params: Org,
      query: z.strictObject({
        log: Which,
        format: z.enum(['jsonl', 'csv']).default('jsonl'),
        from: position.default(0).describe('First position, to go on after a broken download.'),
      }),
      async handle(ctx, { query }) {
        const log = logFor(ctx, query.log);
        const { size, lines } = await exportLog(ctx, log, { format: query.format, from: query.from, vocabulary });
        const type =
          query.format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/jsonl; charset=utf-8';
        return new Response(streamOf(ctx, lines), {
          headers: {
            'content-type': type,
            'cache-control': 'no-store',
            'content-disposition': `attachment; filename="${log}-${query.from}-${size}.${query.format}"`,
          },
        });
      },
    }),
    operation({
      id: 'audit.get_key',
      at: 'GET /orgs/:org/audit/key',
      can: 'audit.read',
      says: 'The key that checkpoints of this log are verified with. Keep a copy where we cannot change it.',
      params: Org,
      query: z.strictObject({ log: Which }),
      reply: z.object({ log: z.string(), origin: z.string(), key: z.string() }),
      async handle(ctx, { query }) {
        const log = logFor(ctx, query.log);
        return { log, origin: originOf(ctx.origin, log), key: signerOf(ctx, log).vkey };
      },
    }),
    operation({
      id: 'audit.get_checkpoint',
      at: 'GET /orgs/:org/audit/checkpoint',
      can: 'audit.read',
      says: 'The newest signed statement of size and root. Whoever keeps it can prove later that nothing before it was changed.',
      params: Org,
      query: z.strictObject({ log: Which }),
      reply: z.object({ log: z.string(), size: z.number().int(), at: z.string(), checkpoint: z.string() }),
      async handle(ctx, { query }) {
        const log = logFor(ctx, query.log);
        const found = await ctx.db.read(scopeOf(ctx), (db) => findCheckpoint(db, log));
        if (!found) throw noCheckpoint();
        return { log, size: found.size, at: found.at.toISOString(), checkpoint: found.note };
      },
    }),
  ];
}

export const noCheckpoint = (): Problem =>
  new Problem('missing', 'audit/no-checkpoint', {
    says: 'this log has no checkpoint yet',
    fix: 'its first one is signed within a second of its first event',
  });

/** Lines as the reader takes them; when the reader goes, so does the generator. A failure breaks the transfer off, it never looks like an end. */
function streamOf(ctx: Ctx, lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await lines.next();
          if (next.done) controller.close();
          else if (next.value !== '') controller.enqueue(utf8.encode(next.value));
          else await this.pull?.(controller);
        } catch (e) {
          ctx.log.error({ err: e, request: ctx.request }, 'an export broke off');
          controller.error(e);
        }
      },
      async cancel() {
        await lines.return(undefined);
      },
    },
    { highWaterMark: 1 },
  );
}
