import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Projection } from './argument.ts';
import type { AskedTool, ToolClass } from './schema.ts';

/** What policy asks of the room above that owns connectors and tools; doors.ts hands it in, so that nothing here imports upward. */
export type Catalogue = {
  hasConnector(db: Reader, connector: Id<'con'>): Promise<boolean>;
  /** Every tool that can be used: reviewed, as it was reviewed, of a connector that is on. In a fixed order. */
  reviewedTools(db: Reader): Promise<CataloguedTool[]>;
  /** Every tool of every connector, by connector and name. */
  tools(db: Reader): Promise<CatalogueTool[]>;
  /** The kinds of systems that there are, `mcp` (a server of the customer's own) among them; absent: any is believed. */
  types?(): readonly { type: string; name: string }[];
  /** Domains that this organization's parent has proved to be its own, with what lies below them. */
  ownDomains(db: Reader): Promise<string[]>;
};

/** A tool as questions about it need it. */
export type CatalogueTool = {
  connector: { id: Id<'con'>; slug: string; name: string; on: boolean; type?: string };
  name: string;
  /** As reviewed; undefined counts as destructive. */
  class: ToolClass | undefined;
  /** As reviewed; undefined: nobody said. */
  outward?: boolean | undefined;
  /** Whether it is now as it was reviewed; nothing else can be called. */
  reviewed: boolean;
  projection: Projection;
};

/** A tool that rules can be about. */
export type CataloguedTool = AskedTool & { connectorName: string };

// What a rule or a question can be about and is not here. What belongs to somebody else is not here either.
export const noConnector = (id: string): Problem =>
  new Problem('missing', 'policy/no-connector', {
    says: `no connector ${id} in this organization`,
    fix: 'list the connectors and take an id from there',
  });
export const noGroup = (id: string): Problem =>
  new Problem('missing', 'policy/no-group', {
    says: `no group ${id} in the directories of this organization`,
    fix: 'list the groups and take an id from there; a group appears when the identity provider has pushed it',
  });
export const noTool = (name: string): Problem =>
  new Problem('missing', 'policy/no-tool', {
    says: `no tool ${JSON.stringify(name)} is known of these connectors`,
    fix: 'list the tools of the connector and take a name from there',
  });
export const noCall = (id: string): Problem =>
  new Problem('missing', 'policy/no-call', {
    says: `no call ${id} is recorded in this organization`,
    fix: 'take the id from the log: every tool.called event has one',
  });
export const noUser = (id: string): Problem =>
  new Problem('missing', 'policy/no-user', {
    says: `no user ${id} is a member of this organization`,
    fix: 'list the members and take the id of the user from there',
  });
export const noRule = (id: string): Problem =>
  new Problem('missing', 'policy/no-rule', {
    says: `no rule ${id} is in force in this organization`,
    fix: 'list the rules; this one may have been removed already',
  });
export const noControl = (id: string): Problem =>
  new Problem('missing', 'policy/no-control', {
    says: `no control ${id} is in force in this organization`,
    fix: 'list the controls; this one may have been set anew or removed already',
  });
export const noCedar = (id: string): Problem =>
  new Problem('missing', 'policy/no-cedar', {
    says: `no policy ${id} in Cedar is in force in this organization`,
    fix: 'list the policies in Cedar; this one may have been removed already',
  });
export const noType = (type: string): Problem =>
  new Problem('missing', 'policy/no-type', {
    says: `the catalogue has no type ${JSON.stringify(type.slice(0, 60))}`,
    fix: 'list the types and take one from there',
  });
export const noTypeControl = (type: string): Problem =>
  new Problem('missing', 'policy/no-type-control', {
    says: `nothing is said about connectors of the type ${JSON.stringify(type.slice(0, 60))} in this organization`,
    fix: 'list the types; what was said may have been taken back already',
  });
export const noVersion = (number: number | string): Problem =>
  new Problem('missing', 'policy/no-version', {
    says: `the policies of this organization have no version ${number}`,
    fix: 'list the versions',
  });
