// What comes in from outside about rules and changes, in one form for the operation that makes a change and for the one that previews it.
import { z } from 'zod';
import { parseId, type Id } from '#kernel/id.ts';
import type { Problem } from '#kernel/problem.ts';
import type { Approvers } from './approvers.ts';
import { MAX_CEDAR_LENGTH } from './check-cedar.ts';
import { Conditions } from './condition.ts';
import { MAX_SESSION_HOURS, thens } from './after-reading.ts';
import { accesses } from './control.ts';
import { isTimeZone } from './now.ts';
import type { RuleDraft } from './rule.ts';
import { toolClasses } from './schema.ts';
import { MAX_TYPE_GROUPS, type TypeControl } from './type-control.ts';
import type { Wish } from './wish.ts';

export const id = <K extends string>(prefix: K): z.ZodType<Id<K>> =>
  z.string().transform((text, c) => {
    const parsed = parseId(prefix, text);
    if (parsed === undefined) {
      c.addIssue({ code: 'custom', message: `expected an id like ${prefix}_ and 32 hex digits` });
      return z.NEVER;
    }
    return parsed;
  });

/** An id in a path. What cannot be an id of ours is answered like what does not exist. */
export const pathId = <K extends string>(prefix: K, missing: (id: string) => Problem) =>
  z.string().transform((text): Id<K> => {
    const parsed = parseId(prefix, text);
    if (!parsed) throw missing(text.slice(0, 60));
    return parsed;
  });

export const InOrg = z.object({ org: z.string() });

// One line of printable text: a rule's name is shown in refusals, to models too.
const line = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'expected one line without control or invisible characters');
const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'expected text without control or invisible characters');

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected the hash of a preview');
/** What goes with a change whose reason may be left out; of a rule's, its name says enough. */
export const saying = {
  reason: reason.optional(),
  expects: z.number().int().min(0).optional(),
  previewed: hash.optional(),
};
/** What goes with every other change. */
export const sayingWhy = { ...saying, reason };
/** The same in an address, for changes that take something away. */
export const sayingQuery = z.strictObject({ ...saying, expects: z.coerce.number().int().min(0).optional() });
export const sayingWhyQuery = sayingQuery.extend({ reason });

const everyone = z.strictObject({ kind: z.literal('everyone') });
const group = z.strictObject({ kind: z.literal('group'), group: id('grp') });
const user = z.strictObject({ kind: z.literal('user'), user: id('usr') });
const connector = z.union([z.literal('any'), id('con')]);
const distinct = (of: readonly string[]): boolean => new Set(of).size === of.length;

const approvers = z
  .strictObject({
    who: z.discriminatedUnion('kind', [z.strictObject({ kind: z.enum(['deciders', 'manager', 'self']) }), group, user]),
    secondPerson: z.boolean().optional(),
    surface: z.enum(['any', 'desktop_only']).default('any'),
    fresh: z.boolean().default(false),
  })
  .refine((a) => a.who.kind !== 'self' || a.secondPerson !== true, {
    path: ['secondPerson'],
    message: 'nobody could say yes: whoever asks is not a second person',
  })
  .transform((a): Approvers => ({ ...a, secondPerson: a.secondPerson ?? a.who.kind !== 'self' }));

const about = {
  name: line,
  who: z.discriminatedUnion('kind', [everyone, group, user]),
  connector,
  tools: z.union([
    z.strictObject({ classes: z.array(z.enum(toolClasses)).min(1).refine(distinct, 'each class once') }),
    z.strictObject({ names: z.array(z.string().min(1).max(128)).min(1).max(200).refine(distinct, 'each name once') }),
  ]),
  when: Conditions.optional(),
};
const ruleForm = <E extends z.ZodRawShape>(extra: E) =>
  z.discriminatedUnion('effect', [
    z.discriminatedUnion('asks', [
      z.strictObject({ ...about, effect: z.literal('allow'), asks: z.literal('never'), ...extra }),
      z.strictObject({
        ...about,
        effect: z.literal('allow'),
        asks: z.literal('always'),
        approvers: approvers.optional(),
        ...extra,
      }),
    ]),
    z.strictObject({ ...about, effect: z.literal('ask'), approvers: approvers.optional(), ...extra }),
    z.strictObject({ ...about, effect: z.literal('forbid'), ...extra }),
  ]);
/** A rule as an admin writes it. */
export const RuleForm: z.ZodType<RuleDraft> = ruleForm({});
/** A rule with why it is added, or put in the place of another. */
export const AddRuleForm = ruleForm(saying);

const TimeZone = z.string().max(60).refine(isTimeZone, 'expected the name of a time zone like Europe/Berlin, or UTC');
const settings = {
  regulated: { mode: z.literal('regulated'), timeZone: TimeZone.default('UTC') },
  open: { mode: z.literal('open'), defaultAccess: z.enum(['read', 'read_write']), timeZone: TimeZone.default('UTC') },
};
const settingsForm = <E extends z.ZodRawShape>(extra: E) =>
  z.discriminatedUnion('mode', [
    z.strictObject({ ...settings.regulated, ...extra }),
    z.strictObject({ ...settings.open, ...extra }),
  ]);
export const SetSettingsForm = settingsForm(sayingWhy);

const afterReading = {
  outward: z.enum(thens),
  hours: z
    .number()
    .int()
    .min(1)
    .max(MAX_SESSION_HOURS)
    .default(8)
    .describe('For how long what a session has read counts.'),
};
export const SetAfterReadingForm = z.strictObject({ ...afterReading, ...sayingWhy });

const typeName = z
  .string()
  .max(100)
  .regex(/^[a-z0-9](?:-?[a-z0-9])*$/, 'expected a type of the catalogue like google-drive, or mcp');
const openTo = { access: z.enum(['off', 'read', 'read_write']).default('off') };
const typeForm = <E extends z.ZodRawShape>(extra: E) =>
  z.discriminatedUnion('state', [
    z.strictObject({ state: z.literal('off'), ...extra }),
    z.strictObject({ state: z.literal('on'), ...openTo, ...extra }),
    z.strictObject({
      state: z.literal('groups'),
      groups: z.array(id('grp')).min(1).max(MAX_TYPE_GROUPS).refine(distinct, 'each group once'),
      ...openTo,
      ...extra,
    }),
  ]);
export const SetTypeForm = typeForm(sayingWhy);
type TypeSaid =
  | { state: 'off' }
  | { state: 'on'; access: TypeControl['access'] }
  | { state: 'groups'; access: TypeControl['access']; groups: readonly Id<'grp'>[] };
/** What a form says about a type, whole. */
export const typeWanted = (type: string, f: TypeSaid): Omit<TypeControl, 'id'> => ({
  type,
  state: f.state,
  groups: f.state === 'groups' ? f.groups.map((group) => ({ group })) : [],
  access: f.state === 'off' ? 'off' : f.access,
});

const control = { connector, access: z.enum(accesses) };
const open = z.enum(['blocked', 'read', 'read_write']);
const controlForm = <E extends z.ZodRawShape>(extra: E) =>
  z.union([
    z.strictObject({ who: everyone, ...control, ...extra }),
    z.strictObject({ who: z.discriminatedUnion('kind', [group, user]), ...control, access: open, ...extra }),
  ]);
export const SetControlForm = controlForm(sayingWhy);

// Kept as it is written: it is text to be read again, with its comments.
const cedar = z.string().min(1).max(MAX_CEDAR_LENGTH);
const cedarForm = { name: line, cedar };
export const SaveCedarForm = z.strictObject({ ...cedarForm, ...sayingWhy });

const version = z.number().int().min(0);

/** Any change, to be looked at before it is made. */
export const WishForm: z.ZodType<Wish> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('add_rule'), rule: RuleForm }),
  z.strictObject({ kind: z.literal('replace_rule'), rule: id('rul'), by: RuleForm }),
  z.strictObject({ kind: z.literal('remove_rule'), rule: id('rul') }),
  z.strictObject({
    kind: z.literal('set_settings'),
    settings: settingsForm({}).transform((s) => withDefault(s)),
  }),
  z.strictObject({ kind: z.literal('set_after_reading'), afterReading: z.strictObject(afterReading) }),
  z.strictObject({
    kind: z.literal('set_type_control'),
    control: typeForm({ type: typeName }).transform((f) => typeWanted(f.type, f)),
  }),
  z.strictObject({ kind: z.literal('remove_type_control'), type: typeName }),
  z.strictObject({ kind: z.literal('set_control'), control: controlForm({}) }),
  z.strictObject({ kind: z.literal('remove_control'), control: id('ctl') }),
  z.strictObject({
    kind: z.literal('save_cedar'),
    policy: z.strictObject({ id: id('ced').optional(), ...cedarForm }),
  }),
  z.strictObject({ kind: z.literal('remove_cedar'), policy: id('ced') }),
  z.strictObject({ kind: z.literal('restore'), version }),
]);

/** Regulated means that nothing is open by default; so there is nothing to choose. */
export const withDefault = (
  s: { mode: 'regulated'; timeZone: string } | { mode: 'open'; defaultAccess: 'read' | 'read_write'; timeZone: string },
) =>
  s.mode === 'regulated'
    ? ({ mode: s.mode, defaultAccess: 'off', timeZone: s.timeZone } as const)
    : { mode: s.mode, defaultAccess: s.defaultAccess, timeZone: s.timeZone };
