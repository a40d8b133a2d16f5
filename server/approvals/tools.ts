import type { Projection } from '#policy/argument.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { ToolClass } from '#policy/schema.ts';

/** A tool as its reviewer left it. */
export type ReviewedTool = {
  pin: string;
  class: ToolClass;
  projection: Projection;
  /** Absent: nobody said, and the class says. */
  outward?: boolean | undefined;
  /** Of its connector, in the catalogue. */
  type?: string | undefined;
};

/** What this room asks about tools, which stand above it; handed in by whoever puts the rooms together. */
export type Tools = {
  /** Undefined: there is no such tool, or it is not now as it was reviewed. */
  findTool(db: Reader, connector: Id<'con'>, name: string): Promise<ReviewedTool | undefined>;
};

/** What the pages and lists ask besides, of rooms above and beside this one. */
export type Upstairs = Tools & {
  connectorName(db: Reader, connector: Id<'con'>): Promise<string | undefined>;
  /** The verified domains of the parent, in ASCII: who is outside. */
  homeDomains(db: Reader): Promise<string[]>;
};
