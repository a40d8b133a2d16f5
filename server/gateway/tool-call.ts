import type { Approval } from '#approvals/approval.ts';
import type { Kept } from '#dlp/quarantine.ts';
import type { Finding } from '#dlp/verdict.ts';
import type { Id } from '#kernel/id.ts';
import type { ToolClass } from '#policy/schema.ts';
import type { CalledTool } from './org-view.ts';

/**
 * One thing that an agent wants done or read. Reading a resource or a prompt is a call too, by the name of its method: it takes content
 * out of a system just as a tool does.
 */
export type ToolCall = {
  id: Id<'tcl'>;
  connector: Id<'con'>;
  /** Of the connector, in the catalogue. */
  type?: string | undefined;
  /** Of `tools/call`: the tool's name as the client wrote it. Else the method. */
  tool: string;
  method: CallMethod;
  /** What is known of the tool; undefined where the connector has none of this name. */
  known: CalledTool | undefined;
  /** Everything that the call takes with it, for the record, for inspection and for a yes. */
  args: unknown;
  /** The tool's own arguments among them: where a reviewer's projection looks. */
  toolArgs: unknown;
  /** Of the message as it came. */
  bytes: number;
};

export const callMethods = ['tools/call', 'resources/read', 'prompts/get', 'completion/complete'] as const;
export type CallMethod = (typeof callMethods)[number];

/** Every way a call can end but one: `lost` is only ever said of a node that died. The answer and the record both switch over this, and nothing else does. */
export type Outcome =
  | { kind: 'answered'; approval: Id<'apr'> | undefined; bytes: number; error: boolean }
  /**
   * `round`: how often the client was told to come again; null: it is told in words, and comes again when it likes. `because`: what its
   * session has read, where it is that.
   */
  | { kind: 'held'; approval: Approval; round: number | null; because?: string | undefined }
  | { kind: 'denied'; why: Denial; says: string; policies: readonly string[] }
  | Blocked
  | { kind: 'failed'; why: Failure; says: string };

/** What was found stopped it. `kept`: reviewers may release it. */
export type Blocked = {
  kind: 'blocked';
  where: 'arguments' | 'result';
  findings: readonly Finding[];
  kept: Kept | undefined;
  /** What an outside engine says to people. */
  reason?: string | undefined;
  reference?: string | undefined;
};

export type Denial =
  | 'unknown_tool'
  | 'unreviewed'
  | 'changed'
  | 'policy'
  /** An argument that rules look at has a form in which they cannot read it: never let through unseen. */
  | 'unreadable_argument'
  /** The arguments do not fit the schema that the tool's reviewer gave. */
  | 'arguments'
  | 'scope'
  /** A request for approval ended so, or what somebody gave was taken back. */
  | 'approval_denied'
  | 'approval_expired'
  | 'approval_cancelled'
  | 'approval_superseded'
  | 'approval_revoked'
  /** A call that came again with our state, and is not the one that was held, or came twice, or too late. */
  | 'hold_altered'
  | 'hold_person'
  | 'hold_tool'
  | 'hold_args'
  | 'hold_used'
  | 'hold_late'
  /** The policy engine or the inspection broke: unknown means no. */
  | 'cannot_decide';

export type Failure =
  | 'unreachable'
  | 'timeout'
  | 'too_large'
  | 'malformed'
  | 'redirect'
  | 'credential_refused'
  /** Nobody has given the account that the call would use: the caller, or the organization. */
  | 'not_connected'
  /** The account's credential is over, and only the one whose it is can renew it. */
  | 'reconnect'
  /** What the organization registered at the vendor is wrong or over, for everyone. */
  | 'app'
  /** The vendor gives no credential now. */
  | 'later'
  | 'upstream_error'
  | 'access_ended'
  /** What was about to be sent is not what a person approved. */
  | 'not_as_approved'
  | 'client_left'
  /** The stream ended before the answer and the client may resume it. */
  | 'interrupted'
  /** An answer to a question of an older server, with a state that is not of this call, or too late. */
  | 'state_refused'
  | 'ours';

/** The class that rules look at. INVARIANT (unknown is destructive): only a review makes a tool anything milder. */
export const classOf = (call: ToolCall): ToolClass =>
  call.method === 'tools/call' ? (call.known?.class ?? 'destructive') : 'read';
