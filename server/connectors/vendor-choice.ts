import { z } from 'zod';
import { checkedUrl } from '#kernel/egress.ts';
import { Problem } from '#kernel/problem.ts';
import { addressOf, originsOf, type Origins } from '#vault/vendor-address.ts';
import type { Access, ActAs, Settings } from '#vault/vendor-auth.ts';
import { egressRules, type Connector } from './connector.ts';
import type { Manifest, Mode } from './kit/manifest.ts';

/** What an administrator chooses for a connector of a type. What is left out is the milder choice. */
export type VendorChoice = {
  mode?: Mode | undefined;
  actAs?: ActAs | undefined;
  access?: Access | undefined;
  settings?: unknown;
  origins?: Readonly<Record<string, string>> | undefined;
  originsPrivate?: boolean | undefined;
  /** Through which all of them are reached. */
  tunnel?: Connector['tunnel'];
};

/** The part of a connector that follows from its type and what was chosen. */
export type Chosen = Pick<Connector, 'mode' | 'actAs' | 'access' | 'settings' | 'origins' | 'originsPrivate' | 'url'>;

export const modesOf = (m: Manifest): Mode[] => [
  ...(m.builtin ? (['builtin'] as const) : []),
  ...(m.remote ? (['remote'] as const) : []),
];

/** As whom calls can act at this vendor. */
export const actsAsOf = (m: Manifest): ActAs[] => [
  ...(m.open ? (['none'] as const) : []),
  ...(m.oauth || m.discovers ? (['person'] as const) : []),
  ...new Set(m.organization.flatMap((g) => g.actsAs)),
];

/** Refuses by name what the type does not take; everything wrong about the settings at once. */
export function chosenFor(m: Manifest, c: VendorChoice): Chosen {
  const mode = oneOf('mode', modesOf(m), c.mode, m.name);
  const actAs = oneOf('actAs', actsAsOf(m), c.actAs, m.name);
  const access = c.access ?? 'read_only';
  const settings = settingsOf(m, c.settings ?? {});
  const origins = c.origins ?? {};
  const stray = Object.keys(origins).filter((role) => !Object.hasOwn(m.origins, role));
  if (stray.length > 0)
    throw new Problem('invalid', 'connectors/no-such-origin', {
      says: `${m.name} has no address called ${stray.map((s) => JSON.stringify(s.slice(0, 40))).join(', ')}`,
      fix: `its addresses are: ${Object.keys(m.origins).join(', ')}`,
    });
  const originsPrivate = c.originsPrivate ?? false;
  const at = originsOf(m, settings, origins);
  const rules = egressRules({ privateHost: undefined, origins, originsPrivate, tunnel: c.tunnel });
  for (const address of Object.values(at)) checkedUrl(address, rules);
  const cannot = mode === 'remote' ? m.remote?.refuses?.(settings) : undefined;
  if (cannot !== undefined)
    throw new Problem('invalid', 'connectors/mode-refused', {
      says: `${m.name} cannot be used by its own MCP server with these settings: ${cannot}`,
      fix: m.builtin ? 'choose the mode builtin, or other settings' : 'choose other settings',
    });
  return { mode, actAs, access, settings, origins, originsPrivate, url: urlOf(m, mode, access, at, settings, rules) };
}

function urlOf(
  m: Manifest,
  mode: Mode,
  access: Access,
  at: Origins,
  settings: Settings,
  rules: ReturnType<typeof egressRules>,
): string {
  if (mode === 'builtin' || !m.remote) return at['api'] ?? Object.values(at)[0] ?? '';
  const { url, readOnlyUrl } = m.remote;
  return checkedUrl(addressOf(access === 'read_only' ? (readOnlyUrl ?? url) : url, at, settings), rules).href;
}

/** What can be chosen, and what was; the first where nothing was. */
function oneOf<T extends string>(what: 'mode' | 'actAs', can: readonly T[], given: T | undefined, name: string): T {
  const chosen = given ?? can[0];
  if (chosen !== undefined && can.includes(chosen)) return chosen;
  throw new Problem('invalid', what === 'mode' ? 'connectors/no-such-mode' : 'connectors/no-such-account', {
    says: `${name} cannot be used with ${what} ${JSON.stringify(chosen ?? null)}`,
    fix: can.length === 0 ? 'choose another kind of system' : `choose from: ${can.join(', ')}`,
  });
}

function settingsOf(m: Manifest, given: unknown): Settings {
  const read = m.settings.safeParse(given);
  if (read.success) return read.data;
  const wrong = read.error.issues.map((i) => ({ at: i.path.map(String).join('.'), says: i.message }));
  throw new Problem('invalid', 'connectors/settings', {
    says: `the settings of ${m.name} do not fit: ${wrong.map((w) => (w.at === '' ? w.says : `${w.at}: ${w.says}`)).join('; ')}`,
    fix: 'the catalogue says what each setting is',
    more: { wrong },
  });
}

/** A schema of what is to be entered, with its descriptions, for whoever draws the form. */
export const schemaOf = (type: z.ZodType): Record<string, unknown> => {
  const { $schema: _, ...schema } = z.toJSONSchema(type, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
  });
  return schema;
};
