import { readFileSync, statSync } from 'node:fs';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { Secret } from '@gatehouse/server/kernel/secret.ts';
import { usage } from './exit.ts';
import { parseProfile, type ProfileWish } from './profile.ts';

/** What every command needs to know about a target. */
export type TargetFlags = {
  url: string;
  token: Secret;
  allowPrivate: string[];
  wish: ProfileWish;
  journal: string | undefined;
  maxWaitMs: number;
  json: boolean;
  /** Somebody should know, and it is no reason to stop. */
  warnings: string[];
};

const shared = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  'token-env': { type: 'string' },
  'allow-private': { type: 'string', multiple: true },
  profile: { type: 'string' },
  journal: { type: 'string' },
  'max-wait': { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;

/** The part of the help that is the same for all five. */
export const sharedHelp = `  --url URL             the SCIM server: the part before /Users
  --token-file FILE     where its bearer token is; or
  --token-env NAME      the environment variable that holds it
  --allow-private HOST  a host inside your network (or HOST:PORT) that may be asked, also by plain http; may be repeated
  --profile NAME|FILE   how this target differs from the RFC; without it, the target is probed
  --journal FILE        append every request and answer, without secrets
  --max-wait SECONDS    longest Retry-After that is waited for (default 300)
  --json                answer with one JSON document on stdout`;

export type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** Parses a command line. A token on it would be in the process list and the shell's history, so there is no such flag. */
export function parseFlags(args: readonly string[], own: ParseArgsOptionsConfig): Values {
  if (args.some((a) => a === '--token' || a.startsWith('--token=')))
    throw usage(
      'a token on the command line can be read by everybody on this machine',
      'put it into a file that only you can read and give --token-file FILE, or name a variable with --token-env NAME',
    );
  try {
    return parseArgs({ args: [...args], options: { ...shared, ...own }, strict: true }).values;
  } catch (e) {
    throw usage(e instanceof Error ? e.message.replace(/\. To specify.*$/s, '') : 'these arguments cannot be read');
  }
}

export const text = (v: Values, name: string): string | undefined => {
  const value = v[name];
  return typeof value === 'string' ? value : undefined;
};

export const texts = (v: Values, name: string): string[] => {
  const value = v[name];
  return (Array.isArray(value) ? value : []).filter((e) => typeof e === 'string');
};

export const needed = (v: Values, name: string, what: string): string => {
  const value = text(v, name);
  if (value === undefined || value === '') throw usage(`--${name} is missing: ${what}`);
  return value;
};

export function whole(v: Values, name: string): number | undefined {
  const value = text(v, name);
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw usage(`--${name} takes a whole number, not "${value}"`);
  return Number(value);
}

/** A file that the command line names. */
export function readGiven(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (e) {
    throw usage(`${what} ${file} cannot be read: ${e instanceof Error ? e.message : 'unknown'}`);
  }
}

/** What every command needs, or a refusal that says what is missing. */
export function targetFlags(v: Values, environment: Readonly<Record<string, string | undefined>>): TargetFlags {
  const url = needed(v, 'url', 'the SCIM server, e.g. https://gate.example.com/scim/v2/dir_…');
  const { token, warnings } = tokenFrom(v, environment, usage);
  const profile = text(v, 'profile') ?? 'auto';
  return {
    url,
    token,
    allowPrivate: texts(v, 'allow-private'),
    wish: parseProfile(profile, /\.json$/i.test(profile) ? readGiven(profile, 'the profile') : undefined),
    journal: text(v, 'journal'),
    maxWaitMs: (whole(v, 'max-wait') ?? 300) * 1000,
    json: v['json'] === true,
    warnings,
  };
}

/** The token that --token-file or --token-env names, and what is not well about where it is. */
export function tokenFrom(
  v: Values,
  environment: Readonly<Record<string, string | undefined>>,
  usage: (says: string, fix?: string) => Error,
): { token: Secret; warnings: string[] } {
  const warnings: string[] = [];
  const [file, env] = [text(v, 'token-file'), text(v, 'token-env')];
  if ((file === undefined) === (env === undefined))
    throw usage(`give ${file === undefined ? 'one of' : 'only one of'} --token-file FILE and --token-env NAME`);
  const token = (file === undefined ? (environment[env ?? ''] ?? '') : readGiven(file, 'the token file')).trim();
  const where = file === undefined ? `the variable ${env}` : `the token file ${file}`;
  if (token === '') throw usage(`${where} is empty`);
  // What may stand in a header (RFC 6750 §2.1, widened to what vendors make); anything else is another file by mistake.
  if (!/^[\x21-\x7e]{1,8192}$/.test(token))
    throw usage(`${where} does not hold one token: it has spaces, lines or other signs in it`);
  if (file !== undefined && process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
    warnings.push(`others on this machine can read ${file}; chmod 600 would stop that`);
  return { token: new Secret(token), warnings };
}
