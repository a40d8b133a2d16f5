import type { Egress, EgressRules } from '#kernel/egress.ts';
import type { Opened } from './credentials.ts';
import type { PurviewMemory } from './purview/memory.ts';
import type { ConfigOf, Scanner, ScannerKind } from './scanner.ts';
import type { DlpAction, Redaction } from '../verdict.ts';

/** What a scanner said of one content. */
export type Said = {
  action: DlpAction;
  spans?: readonly Redaction[] | undefined;
  reason?: string | undefined;
  reference?: string | undefined;
};

/** What every kind of scanner is asked with. */
export type Asking<K extends ScannerKind> = {
  scanner: Scanner;
  config: ConfigOf<K>;
  credentials: Opened<K>;
  egress: Egress;
  rules: EgressRules;
  now: Date;
  /** The same for the same content in the same place, so that a scanner can count inspections and not deliveries. */
  invocation: string;
  /** A sample that an administrator sends. */
  test: boolean;
};

/** What outlives one inspection. */
export type Remembering = {
  purview: PurviewMemory;
  /** Sends something that no verdict waits for. */
  later(work: Promise<unknown>, what: string): void;
};
