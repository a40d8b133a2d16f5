import type { Id } from '#kernel/id.ts';
import type { AfterReading } from './after-reading.ts';
import type { Control, Defaults } from './control.ts';
import type { RuleDraft } from './rule.ts';
import type { TypeControl } from './type-control.ts';

/** What somebody wants changed. The same wish is looked at (preview) and carried out (change-policies.ts), so that both mean one thing. */
export type Wish =
  | { kind: 'add_rule'; rule: RuleDraft }
  /** The rule keeps its id, so whatever names it still finds it. */
  | { kind: 'replace_rule'; rule: Id<'rul'>; by: RuleDraft }
  | { kind: 'remove_rule'; rule: Id<'rul'> }
  | { kind: 'set_settings'; settings: Defaults }
  | { kind: 'set_after_reading'; afterReading: AfterReading }
  | { kind: 'set_control'; control: Omit<Control, 'id'> }
  | { kind: 'remove_control'; control: Id<'ctl'> }
  | { kind: 'set_type_control'; control: Omit<TypeControl, 'id'> }
  | { kind: 'remove_type_control'; type: string }
  /** With an id, puts another text in the place of that policy. */
  | { kind: 'save_cedar'; policy: { id?: Id<'ced'> | undefined; name: string; cedar: string } }
  | { kind: 'remove_cedar'; policy: Id<'ced'> }
  | { kind: 'restore'; version: number };
