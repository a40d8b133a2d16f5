import { z } from 'zod';
import { parseId } from '#kernel/id.ts';
import { MiB } from '#kernel/limits.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { FoundInEvent } from './dlp.events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { EnginesOf } from './dlp-view.ts';
import { judgeContent } from './judge-content.ts';
import { tryContent } from './try-content.ts';
import { dlpActions, phases } from './verdict.ts';

const InOrg = z.object({ org: z.string() });
const action = z.enum(dlpActions);
/** What a run takes in or gives out at once; a file above it comes in parts. */
const MAX_CONTENT_BYTES = 8 * MiB;

/** Operations that look at content without any call. `engines` makes the outside scanners of an organization. */
export const inspectOperations = (engines?: (ctx: OrgCtx) => EnginesOf): Operation[] => [
  operation({
    id: 'dlp.try',
    at: 'POST /orgs/:org/dlp/try',
    can: 'policy.read',
    says: 'Says what our detectors and policies would do with a text, with type, count and place of what was found, never the match. The text is not kept; that somebody tried is recorded.',
    params: InOrg,
    body: z.strictObject({
      text: z.string().max(1_000_000),
      phase: z.enum(phases),
      connector: z.string().max(60).optional(),
      groups: z.array(z.string().max(60)).max(100).default([]),
    }),
    reply: z.object({
      action,
      findings: z.array(FoundInEvent.extend({ action, by: z.string() })),
      redacted: z.string().optional(),
    }),
    async handle(ctx, { body }) {
      const tried = await tryContent(inOrg(ctx), body.text, {
        phase: body.phase,
        connector: body.connector === undefined ? undefined : parseId('con', body.connector),
        groups: body.groups.flatMap((g) => parseId('grp', g) ?? []),
      });
      return { ...tried, findings: tried.findings.map((f) => ({ ...f, hashes: [...f.hashes] })) };
    },
  }),
  operation({
    id: 'dlp.inspect',
    at: 'POST /orgs/:org/dlp/inspect',
    can: 'dlp.inspect',
    says: 'Judges the prompt or output of a run, or a file that comes in or goes out: what may go on, without what must not; the rest is blocked or kept for review.',
    maxBody: MAX_CONTENT_BYTES,
    params: InOrg,
    body: z.strictObject({
      phase: z.enum(['prompt', 'output', 'file_in', 'file_out']),
      /** Any JSON value: text, messages, or a file's name and text. */
      content: z.json(),
      session: z.string().max(200).optional(),
    }),
    reply: z.object({
      action,
      findings: z.array(FoundInEvent),
      /** As it may go on; absent where it may not. */
      content: z.unknown().optional(),
      quarantine: z.object({ id: z.string(), needs: z.number().int(), expiresAt: z.string() }).optional(),
      reason: z.string().optional(),
      reference: z.string().optional(),
    }),
    async handle(ctx, { body }) {
      const within = inOrg(ctx);
      const run = { phase: body.phase, content: body.content, session: body.session };
      const j = await judgeContent(within, run, engines?.(within));
      const { action: does, findings, reason, reference } = j.verdict;
      return {
        action: does,
        findings: findings.map((f) => ({ ...f, hashes: [...f.hashes] })),
        content: j.content,
        quarantine: j.kept && { id: j.kept.id, needs: j.kept.needs, expiresAt: j.kept.expires.toISOString() },
        reason,
        reference,
      };
    },
  }),
];
