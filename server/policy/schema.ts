import type { Id } from '#kernel/id.ts';
import type { ArgumentFacts } from './argument-value.ts';
import type { Now } from './now.ts';

/** What a reviewer says a tool does. A tool that nobody has classed counts as destructive; whoever asks us says so. */
export const toolClasses = ['read', 'write', 'destructive'] as const;
export type ToolClass = (typeof toolClasses)[number];

/**
 * Where a person or an agent asks from: any MCP client, the portal, the desk, the phone, or a script with a key. A browser on a phone is
 * `dispatch`: what counts is the device, and whoever knows the session says so.
 */
export const surfaces = ['mcp', 'portal', 'desk', 'dispatch', 'api'] as const;
export type Surface = (typeof surfaces)[number];

/** What is known of the device that somebody asks from; `unknown` where nobody vouches for it. */
export const devices = ['managed', 'unmanaged', 'unknown'] as const;
export type Device = (typeof devices)[number];

/** The three questions: may it run, may it run without asking, and who may say yes. */
export const questions = ['call', 'call_unattended', 'approve'] as const;
export type Question = (typeof questions)[number];

export type Asker = { user: Id<'usr'>; groups: readonly Id<'grp'>[] };
/**
 * `type`: of the connector, in the catalogue. `outward`: whether it can carry content out of the organization, as its reviewer said; where
 * nobody said, it is taken to be what its class says.
 */
export type AskedTool = {
  connector: Id<'con'>;
  name: string;
  class: ToolClass;
  type?: string | undefined;
  outward?: boolean | undefined;
};

/** Unknown is the worst that a class is likely to be: what cannot be undone is often sent to somebody. */
export const isOutward = (t: Pick<AskedTool, 'class' | 'outward'>): boolean => t.outward ?? t.class === 'destructive';

/** What reading can bring into a session: text that outsiders can have written, and content of the organization that is not public. */
export const brought = ['untrusted', 'private'] as const;
export type Brought = (typeof brought)[number];

/** What a tool's answers bring; where nobody said, what is read is both. */
export const bringsOf = (t: { class: ToolClass; brings?: readonly Brought[] | undefined }): readonly Brought[] =>
  t.brings ?? (t.class === 'read' ? brought : []);

/** What the session of a call has read, within the time for which the organization wants that to count. */
export type SessionFacts = { readUntrusted: boolean; readPrivate: boolean };
/** One that has read nothing. */
export const freshSession: SessionFacts = { readUntrusted: false, readPrivate: false };

/** From where and when somebody asks; `now` is the moment by the organization's clock (now.ts). */
export type Moment = { surface: Surface; device: Device; now: Now };

/** The circumstances of a call. `session`: absent where nobody looked, because no policy asks; then what does ask cannot be evaluated. */
export type Circumstances = Moment & { session?: SessionFacts | undefined };

/** What is asked about an approval, beside the approver: from where and when, how he has shown who he is, and what waits. */
export type ApproveContext = Moment & {
  /** Whether he has shown just now who he is, for this very action. */
  fresh: boolean;
  /** Whether his role has `approval.decide`. */
  mayDecide: boolean;
  /** Whether he is the manager of the one who asked. */
  isManager: boolean;
  /** Whose call waits, and from where and when it was asked for. */
  requester: Asker;
  asked: Moment;
};

/** One question put to a policy set, about one combination of a call's arguments. Facts come from rows and reviews; nothing here is what an agent says about itself. */
export type PolicyRequest = Asker & { tool: AskedTool } & (
    | { action: 'call' | 'call_unattended'; context: Circumstances & { args: ArgumentFacts } }
    | { action: 'approve'; context: ApproveContext & { args: ArgumentFacts } }
  );

const listed = (of: readonly string[]): string => of.map((x) => `"${x}"`).join(', ');

/**
 * The Cedar schema that every policy is validated against, strictly. Class, Surface and Device are enumerated entities, not strings, so that a
 * policy with a misspelt class is refused when it is saved and does not quietly match nothing. Grows by adding: attributes of Tool, keys of context.
 */
export const cedarSchema = `
entity Org;
entity Group in [Org];
entity User in [Group, Org];
entity ConnectorType;
entity Connector in [Org, ConnectorType];
entity Class enum [${listed(toolClasses)}];
entity Surface enum [${listed(surfaces)}];
entity Device enum [${listed(devices)}];
// outward: it can carry content out of the organization, or to many.
entity Tool in [Connector, Org] { name: String, class: Class, outward: Bool };

// What a tool's reviewer has said where it stands; "/a/b" for paths and folders, lower case where it says folded and for repositories,
// channels and recipients. A policy asks \`context.args has path\` first.
type Args = {
  path?: String, path_folded?: String, folder?: String, folder_folded?: String, repository?: String, channel?: String,
  recipient?: String, recipient_domain?: String, amount?: Long, url_host?: String, text?: String
};
// Monday is 1; minutes since midnight; both by the organization's clock.
type Now = { weekday: Long, minute: Long };
// What the agent's session has read lately. Known wherever a policy asks about it.
type Session = { read_untrusted: Bool, read_private: Bool };
type Moment = { surface: Surface, device: Device, now: Now };

action "call", "call_unattended" appliesTo {
  principal: [User], resource: [Tool], context: { surface: Surface, device: Device, now: Now, args: Args, session: Session }
};
// \`asked\` is when and from where the call was made; the rest is the approver's own.
action "approve" appliesTo {
  principal: [User], resource: [Tool], context: {
    surface: Surface, device: Device, now: Now, args: Args, asked: Moment,
    fresh: Bool, is_manager: Bool, may_decide: Bool, requester: User
  }
};
`;
