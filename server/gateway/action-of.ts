import { hash } from 'node:crypto';
import { parseAction, type Action } from '@gatehouse/contract/approval.ts';
import type { Id } from '#kernel/id.ts';
import type { Params } from './message.ts';
import type { CallMethod } from './tool-call.ts';

/** What a call takes with it, as rules, people and inspection see it. Answers to what the upstream asked (MRTR) are part of it. */
export function argsOf(method: CallMethod, params: Params): unknown {
  const { _meta: _, name, requestState: __, ...rest } = params;
  if (method !== 'tools/call') return { ...(name === undefined ? {} : { name }), ...rest };
  const { arguments: args = {}, inputResponses, ...others } = rest;
  if (inputResponses === undefined && Object.keys(others).length === 0) return args;
  return { arguments: args, ...(inputResponses === undefined ? {} : { inputResponses }), ...others };
}

/** Who will run it, and where. */
export type By = { org: Id<'org'>; member: Id<'mem'>; user: Id<'usr'>; client: string };

/**
 * The action that a person is asked about, from the parameters of a message. INVARIANT (what was approved is what runs): made in the same way
 * when somebody is asked and from the very bytes that are about to be sent, so nothing of a call can change in between.
 */
export function actionOf(
  by: By,
  connector: Id<'con'>,
  method: CallMethod,
  params: Params,
  pin: string | undefined,
): Action {
  const { org, member, user, client } = by;
  const tool = method === 'tools/call';
  const also = alsoOf(params, tool);
  return parseAction({
    v: 1,
    org,
    connector,
    tool: tool ? String(params['name']) : method,
    pin: tool ? (pin ?? null) : null,
    args: tool ? (params['arguments'] ?? {}) : argsOf(method, params),
    also: Object.keys(also).length > 0 ? also : null,
    executor: { member, user, client },
  });
}

/** Everything that decides what happens and is no argument. The upstream's own state is long and says nothing to people: its hash will do. */
function alsoOf(params: Params, tool: boolean): Params {
  const { _meta: _, name: __, arguments: ___, requestState, ...others } = params;
  const state = typeof requestState === 'string' ? { state: hash('sha256', requestState, 'hex') } : {};
  return tool ? { ...others, ...state } : state;
}
