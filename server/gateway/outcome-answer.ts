import type { Kept } from '#dlp/quarantine.ts';
import { NOT_INSPECTED } from '#dlp/scan.ts';
import type { Finding } from '#dlp/verdict.ts';
import type { Id } from '#kernel/id.ts';
import { rpcError } from './reply.ts';
import type { Blocked, Denial, Failure, Outcome, ToolCall } from './tool-call.ts';
import type { RpcId } from './message.ts';

/** Where a person decides about a request that waits. */
export const approvalUrl = (origin: string, org: Id<'org'>, approval: Id<'apr'>): string =>
  `${origin}/api/orgs/${org}/approvals/${approval}`;

/**
 * What the agent reads when a call did not run or its result is kept back: which rule, what was found, what to do next. Never the content itself.
 * Every ending but `answered` comes through here.
 */
export function answerOf(
  outcome: Exclude<Outcome, { kind: 'answered' }>,
  call: ToolCall,
  about: { id: RpcId; modern: boolean; origin: string; org: Id<'org'> },
): string {
  const says = words(outcome, call, about);
  if (outcome.kind === 'denied' && outcome.why === 'unknown_tool')
    return rpcError(about.id, -32602, says, { code: 'gateway/unknown-tool', call: call.id });
  // Only a tool's result can carry an error that the model reads; of other methods an error is the only way to say no.
  if (call.method !== 'tools/call')
    return rpcError(about.id, -32000, says, { code: `gateway/${outcome.kind}`, call: call.id });
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
      },
    },
  });
}

function words(
  outcome: Exclude<Outcome, { kind: 'answered' }>,
  call: ToolCall,
  about: { origin: string; org: Id<'org'> },
): string {
  const name = call.known?.name ?? (call.method === 'tools/call' ? 'this tool' : call.method);
  const record = `(Recorded as ${call.id}.)`;
  switch (outcome.kind) {
    case 'denied':
      return `Not allowed: ${outcome.says}. ${nextAfterDenial[outcome.why]} ${record}`;
    case 'held':
      return (
        `Waiting for approval: a person must allow this exact call of ${name} first. It has not run. ` +
        `To decide: ${approvalUrl(about.origin, about.org, outcome.approval.id)} (${outcome.approval.id}, until ${outcome.approval.expires.toISOString()}). ` +
        `After that, call again with exactly the same arguments. ${record}`
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

const listed = (findings: readonly Finding[]): string =>
  [...new Set(findings.map((f) => `${f.detector.replaceAll('_', ' ')}${f.at ? ` at ${f.at}` : ''}`))]
    .slice(0, 5)
    .join(', ');

const nextAfterDenial: Record<Denial, string> = {
  unknown_tool: 'Ask for the list of tools again.',
  unreviewed: 'An administrator must review it first.',
  changed: 'An administrator must review the change first.',
  policy: 'Do not retry; ask an administrator if this is needed for the work.',
  unreadable_argument: 'Write it plainly and call again.',
  scope: 'Sign in again and allow the missing scope.',
  refused: 'Do not retry unless that person agrees.',
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
  upstream_error: perhaps,
  access_ended: 'Your access ended while it ran.',
  client_left: perhaps,
  interrupted: perhaps,
  ours: perhaps,
};
