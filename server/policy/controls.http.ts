import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { noControl, noUser, type Catalogue } from './catalogue.ts';
import { changePolicies, type Changed } from './change-policies.ts';
import { findSettings, listControls, type StoredControl } from './content.sql.ts';
import { accesses, wordsOfControl, wordsOfSettings, type Control, type Settings } from './control.ts';
import { id, InOrg, pathId, sayingWhyQuery, SetControlForm, SetSettingsForm, withDefault } from './forms.ts';
import { currentNumber } from './policy-version.sql.ts';
import { readAccess } from './read-access.ts';
import { standings } from './standing.ts';

const Who = z.object({
  kind: z.string(),
  group: z.string().optional(),
  user: z.string().optional(),
  name: z.string().optional(),
});
/** The version that a change made, or that is in force. */
export const VersionShown = z.object({ number: z.number(), hash: z.string() });

const SettingsShown = z.object({
  mode: z.enum(['regulated', 'open']),
  defaultAccess: z.enum(['off', 'read', 'read_write']),
  timeZone: z.string(),
  words: z.string(),
  /** The number of the version in force: what a change sends as `expects`. */
  version: z.number(),
});
const settingsShown = (s: Settings, version: number): z.input<typeof SettingsShown> => ({
  mode: s.mode,
  defaultAccess: s.defaultAccess,
  timeZone: s.timeZone,
  words: wordsOfSettings(s),
  version,
});

const ControlShown = z.object({
  id: z.string(),
  who: Who,
  connector: z.string(),
  access: z.enum(accesses),
  words: z.string(),
  setBy: z.string().optional(),
  setAt: z.string().optional(),
});
const controlShown = (c: Control | StoredControl): z.input<typeof ControlShown> => ({
  id: c.id,
  who: c.who,
  connector: c.connector,
  access: c.access,
  words: wordsOfControl(c),
  ...('setBy' in c ? { setBy: c.setBy, setAt: c.setAt.toISOString() } : {}),
});
const made = ({ content, about }: Changed): Control => {
  const control = content.controls.find((c) => c.id === about);
  if (!control) throw noControl(String(about));
  return control;
};

const count = z.number().int();
const AccessShown = z.object({
  user: z.string(),
  name: z.string(),
  groups: z.array(z.object({ id: z.string(), name: z.string() })),
  version: z.string(),
  connectors: z.array(
    z.object({
      connector: z.string(),
      name: z.string(),
      counts: z.object({ denied: count, sometimes: count, asks: count, allowed: count }),
      tools: z.array(
        z.object({
          name: z.string(),
          class: z.string(),
          standing: z.enum(standings),
          because: z.array(z.string()),
        }),
      ),
      because: z.array(z.object({ policy: z.string(), name: z.string(), words: z.string() })),
    }),
  ),
});

/** The three levels of control: what holds for the organization, for groups and for people without any rule. */
export const controlOperations = (catalogue: Catalogue): Operation[] => [
  operation({
    id: 'policy.read_settings',
    at: 'GET /orgs/:org/policy/settings',
    can: 'policy.read',
    says: 'Says whether everything is off until it is allowed, or what is open by default, and by whose clock rules speak of time.',
    params: InOrg,
    reply: SettingsShown,
    handle: (ctx) =>
      ctx.db.read(scopeOf(ctx), async (db) => settingsShown(await findSettings(db), await currentNumber(db))),
  }),
  operation({
    id: 'policy.set_settings',
    at: 'PUT /orgs/:org/policy/settings',
    can: 'policy.manage',
    says: 'Makes the organization regulated (everything off until it is allowed) or open by default, and sets its time zone.',
    params: InOrg,
    body: SetSettingsForm,
    reply: SettingsShown,
    async handle(ctx, { body }) {
      const { reason, expects, previewed, ...rest } = body;
      const wish = { kind: 'set_settings', settings: withDefault(rest) } as const;
      const changed = await changePolicies(inOrg(ctx), wish, { reason, expects, previewed }, catalogue);
      return settingsShown(changed.content.settings, changed.version.number);
    },
  }),
  operation({
    id: 'policy.list_controls',
    at: 'GET /orgs/:org/policy/controls',
    can: 'policy.read',
    says: 'Lists which connectors are off or open for everyone, for groups and for people; q searches the names of groups and people.',
    params: InOrg,
    query: ListQuery.extend({ connector: id('con').optional(), user: id('usr').optional() }),
    reply: listOf(ControlShown),
    async handle(ctx, { query }) {
      const { limit, q, cursor, connector, user } = query;
      const rows = await ctx.db.read(scopeOf(ctx), (db) =>
        listControls(db, { limit, q, connector, user, after: cursor }),
      );
      const page = listed(rows, limit, (c) => [c.id]);
      return { items: page.items.map(controlShown), next: page.next };
    },
  }),
  operation({
    id: 'policy.set_control',
    at: 'PUT /orgs/:org/policy/controls',
    can: 'policy.manage',
    says: 'Sets the access of everyone, a group or a person to a connector or to every one, in place of what was set for them before.',
    params: InOrg,
    body: SetControlForm,
    reply: ControlShown.extend({ version: VersionShown }),
    async handle(ctx, { body }) {
      const { reason, expects, previewed, ...control } = body;
      const wish = { kind: 'set_control', control } as const;
      const changed = await changePolicies(inOrg(ctx), wish, { reason, expects, previewed }, catalogue);
      return { ...controlShown(made(changed)), version: changed.version };
    },
  }),
  operation({
    id: 'policy.remove_control',
    at: 'DELETE /orgs/:org/policy/controls/:control',
    can: 'policy.manage',
    says: 'Takes a control out of force; rules and what holds by default remain.',
    params: InOrg.extend({ control: pathId('ctl', noControl) }),
    query: sayingWhyQuery,
    reply: z.object({}),
    status: 204,
    async handle(ctx, { params, query }) {
      await changePolicies(inOrg(ctx), { kind: 'remove_control', control: params.control }, query, catalogue);
      return {};
    },
  }),
  operation({
    id: 'policy.read_access',
    at: 'GET /orgs/:org/policy/access',
    can: 'policy.read',
    says: 'Says what a person has of every reviewed tool, and by which rules and controls.',
    params: InOrg,
    query: z.strictObject({ user: pathId('usr', noUser) }),
    reply: AccessShown,
    handle: (ctx, { query }) => readAccess(inOrg(ctx), query.user, catalogue),
  }),
];
