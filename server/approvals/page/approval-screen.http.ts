import { z } from 'zod';
import { operation, type Operation } from '#kernel/operation.ts';
import { reveal, type Piece } from '#kernel/reveal.ts';
import { toolClasses } from '#policy/schema.ts';
import { requestStates } from '@gatehouse/contract/approval.ts';
import { idOf, inOrg } from '../approvals.http.ts';
import { readApproval } from '../read-approval.ts';
import type { Upstairs } from '../tools.ts';
import type { ApprovalScreen } from './approval-page.ts';
import { approvalScreen } from './approval-screen.ts';

const PieceShown = z.union([
  z.string(),
  z.object({ code: z.string(), char: z.string().optional(), why: z.string() }).describe('A character that deceives.'),
]);
const pieces = z.array(PieceShown);
const Value = z.object({
  at: pieces.describe('JSON Pointer into the arguments.'),
  text: pieces,
  length: z.number().describe('UTF-16 units of the whole value.'),
  outside: z.boolean().describe('A recipient that is not of this organization.'),
  notes: z.array(z.string()),
  unreadable: z.object({ bytes: z.number(), sha256: z.string() }).nullable(),
});
const Act = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('decide'), fresh: z.boolean().describe('A passkey signs the hash.') }),
  z.object({ kind: z.enum(['deny_only', 'watch', 'own']), because: z.string() }),
  z.object({ kind: z.literal('over'), state: z.string(), says: z.string(), revocable: z.boolean() }),
]);
const Screen = z.object({
  id: z.string(),
  state: z.enum(requestStates),
  title: pieces,
  tool: pieces,
  class: z.enum(toolClasses),
  client: pieces,
  asker: z.string(),
  asked: z.string(),
  expires: z.string(),
  call: z.object({
    people: z.number(),
    outside: z.number(),
    suspicious: z.number(),
    groups: z.array(z.object({ kind: z.string(), label: pieces, sum: z.string().nullable(), values: z.array(Value) })),
  }),
  hash: z.string(),
  words: z.array(z.string()),
  says: pieces.nullable().describe('What the agent says about it: not verified, and not in the hash.'),
  why: z.string(),
  rules: z.array(z.object({ id: z.string(), name: z.string() })).describe('The rules that `why` speaks of.'),
  act: Act,
});

const shownPieces = (of: readonly Piece[]): z.input<typeof pieces> =>
  of.map((p) => (typeof p === 'string' ? p : { code: p.code, char: p.char, why: p.why }));

function actOf({ act }: ApprovalScreen): z.input<typeof Act> {
  if (act.kind === 'decide') return { kind: 'decide', fresh: act.fresh !== undefined };
  return act;
}

/** The page of one approval as data, for clients that draw it themselves: the same screen that our own page is drawn from. */
export const approvalScreenOperations = (up: Upstairs): readonly Operation[] => [
  operation({
    id: 'approvals.read_screen',
    at: 'GET /orgs/:org/approvals/:approval/screen',
    can: 'signed_in',
    says: 'Gives what a person must see of one request before deciding: every argument in the reviewer’s order with what deceives printed by its name, the words of the hash, why it is asked, and what whoever looks may do. Leaves an event.',
    discloses: true,
    params: z.strictObject({ org: z.string(), approval: z.string() }),
    reply: Screen,
    async handle(anywhere, { params }) {
      const ctx = inOrg(anywhere);
      const { approval, judgement } = await readApproval(ctx, up, idOf(params.approval));
      const s = await approvalScreen(ctx, up, approval, judgement);
      return {
        id: approval.id,
        state: approval.state,
        title: shownPieces(reveal(s.title)),
        tool: shownPieces(reveal(s.tool)),
        class: approval.class,
        client: shownPieces(reveal(s.client)),
        asker: s.asker,
        asked: s.asked.toISOString(),
        expires: s.until.toISOString(),
        call: {
          ...s.call,
          groups: s.call.groups.map((g) => ({
            kind: g.kind,
            label: shownPieces(g.label),
            sum: g.sum ?? null,
            values: g.values.map((v) => ({
              ...v,
              at: shownPieces(v.at),
              text: shownPieces(v.text),
              unreadable: v.unreadable ?? null,
            })),
          })),
        },
        hash: s.hash,
        words: [...s.words],
        says: s.says === undefined ? null : shownPieces(reveal(s.says)),
        why: s.why,
        rules: [...s.rules],
        act: actOf(s),
      };
    },
  }),
];
