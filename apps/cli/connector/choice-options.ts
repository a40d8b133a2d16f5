import { readFileSync } from 'node:fs';
import type { ParseArgsOptionsConfig } from 'node:util';
import { text, texts, type Values } from '../scim/scim-options.ts';
import { usage } from '../policy/exit.ts';

/** Flags that say what is chosen for a connector, and how they are read. */
export const choiceOptions = {
  mode: { type: 'string' },
  'act-as': { type: 'string' },
  access: { type: 'string' },
  setting: { type: 'string', multiple: true },
  origin: { type: 'string', multiple: true },
  private: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;

export const choiceHelp = `  --access LEVEL        read_only (default) or read_write
  --act-as WHO          person, organization or organization_as_person
  --mode MODE           builtin or remote
  --setting NAME=VALUE  one of the type's settings; VALUE is JSON, or text; may be repeated
  --origin ROLE=URL     an address in place of the vendor's; may be repeated
  --private             those addresses may be inside the network, and plain http`;

export type Choice = {
  mode?: string;
  actAs?: string;
  access?: string;
  settings: Record<string, unknown>;
  origins: Record<string, string>;
  originsPrivate: boolean;
};

export function choiceOf(v: Values): Choice {
  const one = (flag: string, as: string): object => {
    const value = text(v, flag);
    return value === undefined ? {} : { [as]: value };
  };
  return {
    ...one('mode', 'mode'),
    ...one('act-as', 'actAs'),
    ...one('access', 'access'),
    settings: Object.fromEntries(
      texts(v, 'setting')
        .map((s) => pairOf('setting', s))
        .map(([k, t]) => [k, valueOf(t)]),
    ),
    origins: Object.fromEntries(texts(v, 'origin').map((s) => pairOf('origin', s))),
    originsPrivate: v['private'] === true,
  };
}

export function pairOf(flag: string, given: string): [string, string] {
  const at = given.indexOf('=');
  if (at < 1) throw usage(`--${flag} ${JSON.stringify(given)} is not NAME=VALUE`);
  return [given.slice(0, at), given.slice(at + 1)];
}

/** JSON where it is JSON, else the text itself: `--setting tenant=acme`, `--setting drives='["0A…"]'`. */
function valueOf(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

/** A JSON object from a file; what is secret is never on the command line. */
export function objectFrom(file: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (e) {
    throw usage(
      `${what} cannot be read from ${file}: ${e instanceof Error && 'code' in e ? String(e.code) : 'it is not JSON'}`,
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw usage(`${file} is not a JSON object`);
}
