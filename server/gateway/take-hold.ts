import { hashOf } from '#approvals/approval.ts';
import { actionOf, type By } from './action-of.ts';
import type { HoldClaims, Holds } from './hold.ts';
import { member, members, whole } from '#kernel/json-span.ts';
import { isParams, type Message, type Params } from './message.ts';
import type { CallMethod, Denial } from './tool-call.ts';

/** What a person did with the address that a client was asked to show. */
type Answer = 'accept' | 'decline' | 'cancel';

/** The state of ours that a call brings, judged against the call itself. */
export type Hold =
  | { kind: 'good'; claims: HoldClaims; answer: Answer | undefined }
  | { kind: 'bad'; why: Denial; says: string };

type Request = Message & { kind: 'request' };
export type Taken = { hold: Hold; message: Request; body: Buffer };

/** The name of our question among those of one answer. */
export const QUESTION = 'approval';

/**
 * Takes our own state off a call, so that what goes on is the call as it was when it was held: what we asked is no business of the upstream's,
 * and what the upstream had asked is put back. Undefined: the call brings no state of ours.
 */
export function takeHold(
  holds: Holds,
  by: By,
  to: { connector: HoldTarget; method: CallMethod; pin: string | undefined; now: Date },
  message: Request,
  body: Buffer,
): Taken | undefined {
  const { requestState: state, inputResponses, ...rest } = message.params;
  if (!holds.isOurs(state)) return undefined;
  const claims = holds.open(by.org, state);
  const upstream = claims?.upstream ?? {};
  const params: Params = { ...rest, ...upstream };
  const cleaned = { ...message, params };
  const taken = { message: cleaned, body: withUpstream(body, upstream) };
  const bad = (why: Denial, says: string): Taken => ({ ...taken, hold: { kind: 'bad', why, says } });
  if (!claims) return bad('hold_altered', 'the requestState was altered, or is not of this organization');
  if (claims.member !== by.member || claims.client !== by.client)
    return bad('hold_person', 'the requestState was given to another person, or to another agent of this one');
  const tool = to.method === 'tools/call' ? String(params['name']) : to.method;
  if (claims.connector !== to.connector.id || claims.tool !== tool)
    return bad('hold_tool', `the requestState is of a call of another tool (${claims.tool})`);
  if (hashOf(actionOf(by, to.connector.id, to.method, params, to.pin)) !== claims.hash)
    return bad('hold_args', 'the arguments, or the tool’s definition, are not those that the approval was asked for');
  if (claims.expires <= to.now.getTime())
    return bad('hold_late', `the requestState was good until ${new Date(claims.expires).toISOString()}`);
  return { ...taken, hold: { kind: 'good', claims, answer: answerIn(inputResponses) } };
}
type HoldTarget = { id: Parameters<typeof actionOf>[1] };

function answerIn(responses: unknown): Answer | undefined {
  const ours = isParams(responses) ? responses[QUESTION] : undefined;
  const action = isParams(ours) ? ours['action'] : undefined;
  return action === 'accept' || action === 'decline' || action === 'cancel' ? action : undefined;
}

/** The same message with the upstream's own state and answers in the place of ours; every other byte as it came. */
function withUpstream(body: Buffer, upstream: Params): Buffer {
  const text = body.toString('utf8');
  const at = member(text, whole(text), 'params');
  if (!at) return body;
  const kept = members(text, at)
    .filter((m) => m.name !== 'requestState' && m.name !== 'inputResponses')
    .map((m) => text.slice(m.from, m.to));
  const back = Object.entries(upstream).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return Buffer.from(`${text.slice(0, at.from)}{${[...kept, ...back].join(',')}}${text.slice(at.to)}`);
}
