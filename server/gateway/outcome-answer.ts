import type { Kept } from '#dlp/quarantine.ts';
import { NOT_INSPECTED } from '#dlp/scan.ts';
import type { Finding } from '#dlp/verdict.ts';
import type { Id } from '#kernel/id.ts';
import { hashWords } from '@gatehouse/contract/hash-words.ts';
import type { Approval } from '#approvals/approval.ts';
import { rpcError } from './reply.ts';
import type { Blocked, Denial, Failure, Outcome, ToolCall } from './tool-call.ts';
import type { Ask } from './held-call.ts';
import type { RpcId } from './message.ts';
import { QUESTION } from './take-hold.ts';

/** Where a person decides about a request that waits. */
export const approvalUrl = (origin: string, org: Id<'org'>, approval: Id<'apr'>): string =>
  `${origin}/approvals/${org}/${approval}`;

type About = {
  id: RpcId;
  modern: boolean;
  origin: string;
  org: Id<'org'>;
  ask: Ask;
  /** The state that a held call comes again with; undefined where there is too much to carry. */
  seal(approval: Approval, round: number): string | undefined;
};

/** A held call of a client that comes again by itself (MCP 2026-07-28, `input_required`). What a person may decide is shown by us, not by it. */
function comeAgain(approval: Approval, says: string, state: string, call: ToolCall, about: About): string {
  const url = approvalUrl(about.origin, about.org, approval.id);
  const message = `A person must approve this exact call of ${toolOf(call)} before it runs (${approval.id}).`;
  return JSON.stringify({
    jsonrpc: '2.0',
    id: about.id,
    result: {
      resultType: 'input_required',
      ...(about.ask === 'url'
        ? { inputRequests: { [QUESTION]: { method: 'elicitation/create', params: { mode: 'url', message, url } } } }
        : {}),
      requestState: state,
      _meta: {
        'io.gatehouse/outcome': 'held',
        'io.gatehouse/call': call.id,
        'io.gatehouse/approval': approval.id,
        'io.gatehouse/says': says,
      },
    },
  });
}

/**
 * What the agent reads when a call did not run or its result is kept back: which rule, what was found, what to do next. Never the content itself.
 * Every ending but `answered` comes through here.
 */
export function answerOf(outcome: Exclude<Outcome, { kind: 'answered' }>, call: ToolCall, about: About): string {
  const says = words(outcome, call, about);
  if (outcome.kind === 'held' && outcome.round !== null && about.ask !== 'text') {
    const state = about.seal(outcome.approval, outcome.round);
    if (state !== undefined) return comeAgain(outcome.approval, says, state, call, about);
  }
  if (outcome.kind === 'denied' && outcome.why === 'unknown_tool')
    return rpcError(about.id, -32602, says, { code: 'gateway/unknown-tool', call: call.id });
  // Only a tool's result can carry an error that the model reads; of other methods an error is the only way to say no.
  if (call.method !== 'tools/call')
    return rpcError(about.id, -32000, says, {
      code: `gateway/${outcome.kind}`,
      call: call.id,
      ...(outcome.kind === 'blocked' && outcome.kept ? { quarantine: outcome.kept.id } : {}),
    });
  return JSON.stringify({
    jsonrpc: '2.0',
    id: about.id,
    result: {
      ...(about.modern ? { resultType: 'complete' } : {}),
      content: [{ type: 'text', text: says }],
      isError: true,
      _meta: {
        'io.gatehouse/outcome': outcome.kind,
        'io.gatehouse/call': call.id,
        ...(outcome.kind === 'blocked' && outcome.kept ? { 'io.gatehouse/quarantine': outcome.kept.id } : {}),
        ...(outcome.kind === 'denied' || outcome.kind === 'failed' ? { 'io.gatehouse/why': outcome.why } : {}),
        ...(outcome.kind === 'held' ? { 'io.gatehouse/approval': outcome.approval.id } : {}),
      },
    },
  });
}

function words(
  outcome: Exclude<Outcome, { kind: 'answered' }>,
  call: ToolCall,
  about: { origin: string; org: Id<'org'> },
): string {
  const name = toolOf(call);
  const record = `(Recorded as ${call.id}.)`;
  switch (outcome.kind) {
    case 'denied':
      return `Not allowed: ${outcome.says}. ${nextAfterDenial[outcome.why]} ${record}`;
    case 'held':
      return (
        `Waiting for approval: ${outcome.because === undefined ? '' : `${outcome.because}, so `}a person must approve this exact call of ${name} first. It has not run. ` +
        `To decide: ${approvalUrl(about.origin, about.org, outcome.approval.id)} (${outcome.approval.id}, until ${outcome.approval.expires.toISOString()}). ` +
        `Its words are ${hashWords(outcome.approval.hash).join(' ')}: the person sees the same. After that, call again with exactly the same arguments. ${record}`
      );
    case 'blocked':
      return `${stopped(outcome)} ${record}`;
    case 'failed':
      return `Failed: ${outcome.says}. ${nextAfterFailure[outcome.why]} ${record}`;
  }
}

/** What was found, what it means for the call, and how it can go on. */
function stopped(o: Blocked): string {
  const what = o.where === 'arguments' ? 'arguments' : 'result';
  const because = contains(what, o.findings);
  const says =
    (o.reason === undefined ? '' : ` The scanner says: ${JSON.stringify(o.reason)}.`) +
    (o.reference === undefined ? '' : ` (Reference of the scanner: ${JSON.stringify(o.reference)}.)`);
  if (o.kept) return `${held(o.kept, what, because)}${says}`;
  return o.where === 'arguments'
    ? `Blocked: ${because}. The call was not sent. Remove it and call again.${says}`
    : `Blocked: ${because}, so it is not given out. The call itself HAS RUN; do not repeat it.${says}`;
}

function held(k: Kept, what: 'arguments' | 'result', because: string): string {
  const until = `until ${k.expires.toISOString()}`;
  const who = k.needs === 2 ? 'two reviewers' : 'a reviewer';
  const ran = what === 'arguments' ? 'The call was not sent.' : 'The call itself HAS RUN and does not run again.';
  switch (k.state) {
    case 'waiting':
      return (
        `Kept for review as ${k.id}: ${because}. ${ran} ${who[0]?.toUpperCase()}${who.slice(1)} may release it ${until}. After that, call again ` +
        `with exactly the same arguments: ${what === 'arguments' ? 'it then goes through once' : 'you then get this result, once'}.`
      );
    case 'released':
    case 'delivered':
      return `${k.id} was released and has been used by another call just now. ${ran}`;
    case 'discarded':
    case 'expired':
      return `${k.id} was not released in time. ${ran}`;
  }
}

/** Said by the phrase that was found, or that nobody could look. */
function contains(what: 'arguments' | 'result', findings: readonly Finding[]): string {
  const found = findings.filter((f) => f.detector !== NOT_INSPECTED);
  if (found.length === 0)
    return findings.length === 0 ? `the ${what} may not pass` : `the ${what} could not be inspected`;
  return `the ${what} contain${what === 'result' ? 's' : ''} ${listed(found)}`;
}
const toolOf = (call: ToolCall): string =>
  call.known?.name ?? (call.method === 'tools/call' ? 'this tool' : call.method);

const listed = (findings: readonly Finding[]): string =>
  [...new Set(findings.map((f) => `${f.detector.replaceAll('_', ' ')}${f.at ? ` at ${f.at}` : ''}`))]
    .slice(0, 5)
    .join(', ');

const nextAfterDenial: Record<Denial, string> = {
  unknown_tool: 'Ask for the list of tools again.',
  unreviewed: 'An administrator must review it first.',
  changed: 'An administrator must review the change first.',
  policy: 'Do not retry; ask an administrator if this is needed for the work.',
  unreadable_argument: 'Write it plainly (a long number as text) and call again.',
  arguments: 'Correct it and call again.',
  scope: 'Sign in again and allow the missing scope.',
  approval_denied: 'Do not retry unless that person agrees.',
  approval_expired: 'Call again without the requestState to ask anew.',
  approval_cancelled: 'Call again without the requestState only if this is still wanted.',
  approval_superseded: 'Call again without the requestState to ask anew.',
  approval_revoked: 'Do not retry unless a person asks for it.',
  hold_altered: 'Call again without the requestState to ask anew.',
  hold_person: 'Call again without the requestState to ask anew.',
  hold_tool: 'Call again without the requestState to ask anew.',
  hold_args: 'What was approved was another call. Call again without the requestState to ask about this one.',
  hold_used: 'One approval is good for one call. Call again without the requestState to ask anew.',
  hold_late: 'Call again without the requestState to ask anew.',
  cannot_decide: 'Nothing is allowed while this lasts; tell an administrator.',
};
const perhaps = 'It may or may not have had its effect: check before calling again.';
const nextAfterFailure: Record<Failure, string> = {
  unreachable: perhaps,
  timeout: perhaps,
  too_large: 'The call has run; ask for less at once.',
  malformed: 'The call may have run; tell an administrator.',
  redirect: 'It did not run; an administrator must correct the address.',
  credential_refused: 'It did not run; tell an administrator.',
  not_connected: 'It did not run; call again after that.',
  reconnect: 'What needed it did not run; call again after that.',
  app: 'What needed it did not run; tell an administrator.',
  later: 'What needed it did not run.',
  upstream_error: perhaps,
  not_as_approved: 'It did not run; tell an administrator.',
  access_ended: 'Your access ended while it ran.',
  client_left: perhaps,
  interrupted: perhaps,
  state_refused: 'The call before waits no more; call again without the requestState to begin anew.',
  ours: perhaps,
};
