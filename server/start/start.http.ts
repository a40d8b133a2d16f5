import { z } from 'zod';
import { personOf } from '#identity/me.http.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { urgencies, type Reporter } from '#kernel/report.ts';
import { inOrg } from '#org/org.http.ts';
import { countWaiting, readStart } from './read-start.ts';

const Time = z.iso.datetime().nullable();
const time = (d: Date | null | undefined): string | null => d?.toISOString() ?? null;
const page = z.string().describe("The page below the organization's in the portal where it is done.");

const Start = z.object({
  at: z.iso.datetime(),
  steps: z.array(
    z.object({
      code: z.string(),
      name: z.string(),
      done: z.boolean(),
      says: z.string(),
      at: Time.describe('When it was first done, as the log has it.'),
      by: z.string().nullable(),
      act: z.string(),
      page,
    }),
  ),
  needs: z.array(
    z.object({
      code: z.string(),
      urgency: z.enum(urgencies),
      says: z.string(),
      more: z.string(),
      count: z.number().int(),
      since: Time,
      until: Time,
      act: z.string(),
      page,
    }),
  ),
  fine: z.array(z.object({ says: z.string(), more: z.string(), at: Time })),
  unseen: z.array(z.string()).describe('Rooms that the caller may not read, about which nothing is said here.'),
});
const Org = z.object({ org: z.string() });

/** What a person sees first. `reporters` are the rooms, in the order of the set-up path. */
export const startOperations = (reporters: readonly Reporter[]): Operation[] => [
  operation({
    id: 'start.read_start',
    at: 'GET /orgs/:org/start',
    can: 'org.read',
    says: 'Shows what is set up, what needs a person now and where it is repaired, and what is in order, of the rooms that the caller may read.',
    params: Org,
    reply: Start,
    async handle(ctx) {
      const { steps, needs, fine, unseen } = await readStart(inOrg(ctx), personOf(ctx).user, reporters);
      return {
        at: ctx.now.toISOString(),
        steps: steps.map((s) => ({ ...s, at: time(s.at), by: s.by ?? null })),
        needs: needs.map((n) => ({ ...n, since: time(n.since), until: time(n.until) })),
        fine: fine.map((f) => ({ ...f, at: time(f.at) })),
        unseen,
      };
    },
  }),
  operation({
    id: 'start.count_waiting',
    at: 'GET /orgs/:org/waiting',
    can: 'org.read',
    says: 'Counts what waits for a decision, by room, of what the caller may read.',
    params: Org,
    reply: z.object({ rooms: z.array(z.object({ room: z.string(), count: z.number().int() })) }),
    async handle(ctx) {
      return { rooms: await countWaiting(inOrg(ctx), personOf(ctx).user, reporters) };
    },
  }),
];
