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
export type AskedTool = { connector: Id<'con'>; name: string; class: ToolClass };

/** From where and when somebody asks; `now` is the moment by the organization's clock (now.ts). */
export type Moment = { surface: Surface; device: Device; now: Now };

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
    | { action: 'call' | 'call_unattended'; context: Moment & { args: ArgumentFacts } }
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
entity Connector in [Org];
entity Class enum [${listed(toolClasses)}];
entity Surface enum [${listed(surfaces)}];
entity Device enum [${listed(devices)}];
entity Tool in [Connector, Org] { name: String, class: Class };

// What a tool's reviewer has said where it stands; "/a/b" for paths and folders, lower case where it says folded and for repositories,
// channels and recipients. A policy asks \`context.args has path\` first.
type Args = {
  path?: String, path_folded?: String, folder?: String, folder_folded?: String, repository?: String, channel?: String,
  recipient?: String, recipient_domain?: String, amount?: Long, url_host?: String, text?: String
};
// Monday is 1; minutes since midnight; both by the organization's clock.
type Now = { weekday: Long, minute: Long };
type Moment = { surface: Surface, device: Device, now: Now };

action "call", "call_unattended" appliesTo {
  principal: [User], resource: [Tool], context: { surface: Surface, device: Device, now: Now, args: Args }
};
// \`asked\` is when and from where the call was made; the rest is the approver's own.
action "approve" appliesTo {
  principal: [User], resource: [Tool], context: {
    surface: Surface, device: Device, now: Now, args: Args, asked: Moment,
    fresh: Bool, is_manager: Bool, may_decide: Bool, requester: User
  }
};
`;
