import type { Id } from '#kernel/id.ts';

/** What a reviewer says a tool does. A tool that nobody has classed counts as destructive; whoever asks us says so. */
export const toolClasses = ['read', 'write', 'destructive'] as const;
export type ToolClass = (typeof toolClasses)[number];

/** Where a person or an agent asks from: any MCP client, the portal, the desk, the phone, or a script with a key. */
export const surfaces = ['mcp', 'portal', 'desk', 'dispatch', 'api'] as const;
export type Surface = (typeof surfaces)[number];

/** The three questions: may it run, may it run without asking, and who may say yes. */
export const questions = ['call', 'call_unattended', 'approve'] as const;
export type Question = (typeof questions)[number];

export type Asker = { user: Id<'usr'>; groups: readonly Id<'grp'>[] };
export type AskedTool = { connector: Id<'con'>; name: string; class: ToolClass };

/** One question put to a policy set. Facts come from rows and reviews; nothing here is what an agent says about itself. */
export type PolicyRequest = Asker & { tool: AskedTool } & (
    | { action: 'call' | 'call_unattended'; context: { surface: Surface } }
    /** The asker is the approver; `mayDecide` is whether his role has `approval.decide`, `requester` is whose call waits. */
    | { action: 'approve'; context: { surface: Surface; mayDecide: boolean; requester: Asker } }
  );

const listed = (of: readonly string[]): string => of.map((x) => `"${x}"`).join(', ');

/**
 * The Cedar schema that every policy is validated against, strictly. Class and Surface are enumerated entities, not strings, so that a policy
 * with a misspelt class is refused when it is saved and does not quietly match nothing. Grows by adding: attributes of Tool, keys of context.
 */
export const cedarSchema = `
entity Org;
entity Group in [Org];
entity User in [Group, Org];
entity Connector in [Org];
entity Class enum [${listed(toolClasses)}];
entity Surface enum [${listed(surfaces)}];
entity Tool in [Connector, Org] { name: String, class: Class };

action "call", "call_unattended" appliesTo {
  principal: [User], resource: [Tool], context: { surface: Surface }
};
action "approve" appliesTo {
  principal: [User], resource: [Tool], context: { surface: Surface, may_decide: Bool, requester: User }
};
`;
