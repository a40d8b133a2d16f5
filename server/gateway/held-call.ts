import type { Action } from '@gatehouse/contract/approval.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { actionOf, type By } from './action-of.ts';
import { isParams, readMessage, type Message, type Params } from './message.ts';
import type { Hold } from './take-hold.ts';
import type { CallMethod } from './tool-call.ts';

/**
 * How a client is told that a call waits. `text`: a result in words. `state`: a state to come again with. `url`: the same, and an address
 * that the client shows to its person first.
 */
export type Ask = 'text' | 'state' | 'url';

const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const REPLACES = 'io.gatehouse/replaces';
/** The methods that may be answered with a question (MCP 2026-07-28, multi round-trip requests). */
const asking: ReadonlySet<CallMethod> = new Set(['tools/call', 'prompts/get', 'resources/read']);
/** After so many rounds a client is told in words, before it gives up by itself with an error that says nothing (the SDK's limit is ten). */
const MAX_ROUNDS = 8;

/** What this client understands, and has not been told yet. */
export function askOf(m: Message & { kind: 'request' }, method: CallMethod, hold: Hold | undefined): Ask {
  if (!m.modern || !asking.has(method)) return 'text';
  if (hold?.kind === 'good') return hold.claims.round + 1 > MAX_ROUNDS ? 'text' : 'state';
  const capabilities = record(record(m.params['_meta'])[CAPABILITIES]);
  return isParams(record(capabilities['elicitation'])['url']) ? 'url' : 'state';
}
const record = (v: unknown): Params => (isParams(v) ? v : {});

/** What the upstream gave the client to carry, which we carry for it while its call is held. */
export function carried(params: Params): { requestState?: string; inputResponses?: unknown } {
  const { requestState, inputResponses } = params;
  return {
    ...(typeof requestState === 'string' ? { requestState } : {}),
    ...(inputResponses === undefined ? {} : { inputResponses }),
  };
}

/** The request that this call's is to replace, if the agent says so. */
export function replacedBy(params: Params): Id<'apr'> | undefined {
  const said = record(params['_meta'])[REPLACES];
  return typeof said === 'string' ? parseId('apr', said) : undefined;
}

const RUN = 'io.gatehouse/run';
/** What the client names its task by, if it does; see session-reads.ts. */
export function runOf(params: Params): string | undefined {
  const said = record(params['_meta'])[RUN];
  return typeof said === 'string' && said !== '' && said.length <= 200 ? said : undefined;
}

/** The action in a message that is about to be sent, read from its bytes once more. */
export function actionOfBytes(
  by: By,
  connector: Id<'con'>,
  method: CallMethod,
  body: Buffer | undefined,
  pin: string | undefined,
): Action {
  const m = readMessage(body ?? Buffer.alloc(0), undefined);
  if (m.kind !== 'request' || m.method !== method) throw new TypeError('the message is not the call that was admitted');
  return actionOf(by, connector, method, m.params, pin);
}
