import { z } from 'zod';
import { operation, type Operation } from '#kernel/operation.ts';
import type { HeldOf } from './leaving.ts';
import { memberRoles, noSuchMember } from './member.ts';
import { idOf, inOrg } from './org.http.ts';
import { previewLeaving } from './preview-leaving.ts';

const Refused = z.object({ code: z.string(), says: z.string(), fix: z.string().nullable() }).nullable();
const Count = z.number().int();

/** What ends with a member, under `/api`. */
export const leavingOperations = (heldOf: HeldOf): readonly Operation[] => [
  operation({
    id: 'org.preview_leaving',
    at: 'GET /orgs/:org/members/:member/leaving',
    can: 'member.manage',
    says: 'Shows what removing or suspending a member would end, where else they are a member, and what would be refused to the caller. Changes nothing.',
    params: z.object({ org: z.string(), member: idOf('mem', noSuchMember) }),
    reply: z.object({
      sessions: Count.describe('Browsers that are signed in; of the account, in all organizations.'),
      consents: Count.describe('Applications that may act for the member here.'),
      connections: Count.describe('Own accounts at connectors of this organization.'),
      approvals: Count.describe('Requests of the agents of this member that wait for somebody.'),
      keys: Count.describe('API keys of this organization that the member created.'),
      orgs: z.array(z.object({ org: z.string(), name: z.string(), role: z.enum(memberRoles) })),
      refused: z.object({ role: Refused, remove: Refused, suspend: Refused }),
    }),
    handle: (ctx, { params }) => previewLeaving(inOrg(ctx), params.member, heldOf),
  }),
];
