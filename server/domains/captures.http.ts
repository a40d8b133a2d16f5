import { z } from 'zod';
import type { Ctx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { announceCapture } from './announce-capture.ts';
import { answerCapture } from './answer-capture.ts';
import { cancelCapture } from './cancel-capture.ts';
import { choices, MAX_NOTICE_DAYS, MIN_NOTICE_DAYS, noSuchCapture, type Capture } from './capture.ts';
import { countOffers, findCaptureOf, listAsked, listCaptures } from './capture.sql.ts';
import { noSuchDomain } from './domain.ts';
import type { Herald } from './herald.ts';

const Time = z.iso.datetime({ offset: true });
const domainId = (text: string): Id<'dom'> => {
  const id = parseId('dom', text);
  if (!id) throw noSuchDomain();
  return id;
};
const captureId = (text: string): Id<'cpt'> => {
  const id = parseId('cpt', text);
  if (!id) throw noSuchCapture();
  return id;
};
const DomainPath = z.object({ org: z.string(), domain: z.string().transform(domainId) });

/** Domains are the parent's: the organization in the path says where people are to belong. */
const ofParent = (ctx: Ctx) => ({ parent: ctx.parent });

const ShownCapture = z.object({
  id: z.string(),
  domain: z.string(),
  org: z.string(),
  state: z.enum(['announced', 'in_force', 'cancelled']),
  announcedAt: Time,
  endsAt: Time,
  offered: z.number().int(),
  merge: z.number().int(),
  fresh: z.number().int(),
  applied: z.number().int(),
});
const shownCapture = async (ctx: Ctx, c: Capture): Promise<z.infer<typeof ShownCapture>> => ({
  ...c,
  announcedAt: c.announcedAt.toISOString(),
  endsAt: c.endsAt.toISOString(),
  ...(await ctx.db.read(ofParent(ctx), (db) => countOffers(db, c.id))),
});

/** Where people of a domain belong, and what they say to it, under `/api`. */
export const captureOperations = (herald: Herald): Operation[] => [
  operation({
    id: 'domains.list_captures',
    at: 'GET /orgs/:org/captures',
    can: 'member.read',
    says: "Lists the captures of the parent's domains that are announced or in force, with how many have answered.",
    params: z.object({ org: z.string() }),
    reply: z.object({ items: z.array(ShownCapture) }),
    async handle(ctx) {
      const all = await ctx.db.read(ofParent(ctx), listCaptures);
      const items: z.infer<typeof ShownCapture>[] = [];
      for (const c of all) items.push(await shownCapture(ctx, c));
      return { items };
    },
  }),
  operation({
    id: 'domains.read_capture',
    at: 'GET /orgs/:org/domains/:domain/capture',
    can: 'member.read',
    says: 'Shows whether people of the domain are led to an organization, and how many have answered.',
    params: DomainPath,
    reply: ShownCapture,
    async handle(ctx, { params }) {
      const found = await ctx.db.read(ofParent(ctx), (db) => findCaptureOf(db, params.domain));
      if (!found) throw noSuchCapture();
      return shownCapture(ctx, found);
    },
  }),
  operation({
    id: 'domains.announce_capture',
    at: 'POST /orgs/:org/domains/:domain/capture',
    can: 'sso.manage',
    says: 'Announces that people of the domain belong to this organization, with at least 30 days of notice; existing accounts choose to come along or to start fresh.',
    params: DomainPath,
    body: z.strictObject({ noticeDays: z.number().int().min(1).max(MAX_NOTICE_DAYS).default(MIN_NOTICE_DAYS) }),
    reply: ShownCapture,
    status: 201,
    async handle(ctx, { params, body }) {
      return shownCapture(ctx, await announceCapture(inOrg(ctx), herald, params.domain, body.noticeDays));
    },
  }),
  operation({
    id: 'domains.cancel_capture',
    at: 'DELETE /orgs/:org/domains/:domain/capture',
    can: 'sso.manage',
    says: 'Calls the capture off; what people chose stays.',
    params: DomainPath,
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => cancelCapture(ctx, params.domain),
  }),
  operation({
    id: 'domains.list_my_captures',
    at: 'GET /me/captures',
    can: 'signed_in',
    says: 'What the caller is asked because the domain of their address belongs to an organization.',
    reply: z.object({
      items: z.array(
        z.object({
          capture: z.string(),
          name: z.string(),
          org: z.string(),
          orgName: z.string(),
          state: z.enum(['announced', 'in_force']),
          endsAt: Time,
          choice: z.enum(choices).nullable(),
        }),
      ),
    }),
    async handle(ctx) {
      const { actor } = ctx;
      if (actor.kind !== 'user') return { items: [] };
      const asked = await ctx.db.read(ofParent(ctx), (db) => listAsked(db, actor.id));
      return { items: asked.map((a) => ({ ...a, endsAt: a.endsAt.toISOString() })) };
    },
  }),
  operation({
    id: 'domains.answer_capture',
    at: 'POST /me/captures/:capture',
    can: 'signed_in',
    says: 'Chooses, once: `merge` brings the account along, `fresh` leaves the other organizations.',
    params: z.object({ capture: z.string().transform(captureId) }),
    body: z.strictObject({ choice: z.enum(choices) }),
    reply: z.undefined(),
    status: 204,
    async handle(ctx, { params, body }) {
      // A choice about oneself is made in person; a key may not make it.
      if (ctx.actor.kind !== 'user') throw noSuchCapture();
      await answerCapture(ctx, ctx.actor.id, params.capture, body.choice);
    },
  }),
];
