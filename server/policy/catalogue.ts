import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { AskedTool, ToolClass } from './schema.ts';

/** What policy asks of the room above that owns connectors and tools; doors.ts hands it in, so that nothing here imports upward. */
export type Catalogue = {
  hasConnector(db: Reader, connector: Id<'con'>): Promise<boolean>;
  /** As reviewed. Undefined: there is no such tool, or nobody has reviewed it; it counts as destructive. */
  toolClass(db: Reader, connector: Id<'con'>, tool: string): Promise<ToolClass | undefined>;
  /** Every tool that can be used: reviewed, as it was reviewed, of a connector that is on. In a fixed order. */
  reviewedTools(db: Reader): Promise<CataloguedTool[]>;
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
export const noVersion = (number: number | string): Problem =>
  new Problem('missing', 'policy/no-version', {
    says: `the policies of this organization have no version ${number}`,
    fix: 'list the versions',
  });
