import { parseArgs } from 'node:util';
import { chosenFor } from '@gatehouse/server/connectors/vendor-choice.ts';
import { egressRules } from '@gatehouse/server/connectors/connector.ts';
import { vendorClient } from '@gatehouse/server/connectors/kit/vendor-client.ts';
import type { Manifest } from '@gatehouse/server/connectors/kit/manifest.ts';
import { probeVendor, type ProbeReport } from '@gatehouse/server/connectors/probe-vendor.ts';
import { vendorOf, vendors } from '@gatehouse/server/connectors/vendors/all-vendors.ts';
import { makeEgress, type Egress } from '@gatehouse/server/kernel/egress.ts';
import { silentLog } from '@gatehouse/server/kernel/log.ts';
import { Problem } from '@gatehouse/server/kernel/problem.ts';
import { Secret } from '@gatehouse/server/kernel/secret.ts';
import type { Unlocked } from '@gatehouse/server/vault/credentials.ts';
import { GrantRefused } from '@gatehouse/server/vault/organization-grant.ts';
import { originOf, originsOf, type Origins } from '@gatehouse/server/vault/vendor-address.ts';
import { accesses, actsAs } from '@gatehouse/server/vault/vendor-auth.ts';
import { siteFetch } from '@gatehouse/server/vault/vendor-site.ts';
import { readFileSync } from 'node:fs';
import { text, texts, type Values } from '../scim/scim-options.ts';
import { printable } from '../scim/snapshot.ts';
import { EXIT, Refusal, usage } from '../policy/exit.ts';
import { choiceHelp, choiceOf, choiceOptions, objectFrom, pairOf } from './choice-options.ts';
import { linesOfReport } from './report-lines.ts';

const help = `gatehouse connector check SLUG --url URL --token-file FILE
Has a deployment try one of its connectors with the account that its calls would use.

gatehouse connector check TYPE (--account KIND --fields FILE | --access-token-file FILE) …
Asks a vendor whose account a credential is and tries every tool that only reads, straight from this machine, without a server. Nothing is
written at the vendor and nothing is kept here.
  --account KIND        a kind of account of the organization, as the catalogue names it
  --fields FILE         what is entered for it, as a JSON object
  --access-token-file F a person's access token in a file, got elsewhere
  --scope SCOPE         what that token may do; may be repeated
  --as E-MAIL           for whom an account that speaks for people is to speak
  --arguments TOOL=FILE arguments for a tool that needs some, as a JSON object; may be repeated
${choiceHelp}
  --json                answer with one JSON document
Exit status: 0 all that was tried works, 1 failed, 2 not understood, 3 something does not work.`;

const options = {
  account: { type: 'string' },
  fields: { type: 'string' },
  'access-token-file': { type: 'string' },
  scope: { type: 'string', multiple: true },
  as: { type: 'string' },
  arguments: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  ...choiceOptions,
} as const;

/** Longest time of the whole check. */
const CHECK_MS = 120_000;

export type Said = { out(line: string): void; err(line: string): void };

/** `gatehouse connector check`: the same checks against a real tenant that the tests make against a stand-in. */
export async function checkConnector(
  args: readonly string[],
  said: Said = { out: (l) => console.log(l), err: (l) => console.error(l) },
): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    said.out(help);
    return EXIT.ok;
  }
  const egress = makeEgress({ log: silentLog });
  try {
    const { type, v } = flags(args);
    const { manifest, report } = await checked(type, v, egress);
    const bad = report.wrong !== undefined || report.tools.some((t) => t.outcome === 'refused');
    if (v['json'] === true) said.out(JSON.stringify({ ok: !bad, ...report }, null, 2));
    else
      for (const line of linesOfReport(manifest.name, { ...report, account: whose(report) })) said.out(printable(line));
    return bad ? EXIT.differs : EXIT.ok;
  } catch (e) {
    const r =
      e instanceof Refusal
        ? e
        : e instanceof Problem
          ? new Refusal(e.kind === 'invalid' ? EXIT.usage : EXIT.failed, e.code, e.says, e.fix)
          : e instanceof GrantRefused
            ? new Refusal(EXIT.failed, `connector/${e.because}`, e.says)
            : undefined;
    if (!r) throw e;
    said.err(`gatehouse: ${printable(r.says)}${r.fix === undefined ? '' : `\nTo do: ${printable(r.fix)}`}`);
    return r.status;
  } finally {
    await egress.close();
  }
}

function flags(args: readonly string[]): { type: string; v: Values } {
  let read: { values: Values; positionals: string[] };
  try {
    read = parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (e) {
    throw usage(e instanceof Error ? e.message.replace(/\. To specify.*$/s, '') : 'these arguments cannot be read');
  }
  const [type, ...more] = read.positionals;
  if (type === undefined || more.length > 0)
    throw usage('say which type to check', `one of: ${vendors.map((m) => m.type).join(', ')}`);
  return { type, v: read.values };
}

async function checked(type: string, v: Values, egress: Egress): Promise<{ manifest: Manifest; report: ProbeReport }> {
  const manifest = vendorOf(type);
  if (!manifest) throw usage(`there is no type ${type}`, `choose from: ${vendors.map((m) => m.type).join(', ')}`);
  const { mode, actAs, access, ...rest } = choiceOf(v);
  if (access !== undefined && !accesses.some((a) => a === access)) throw usage(`--access ${access} is no access level`);
  if (actAs !== undefined && !actsAs.some((a) => a === actAs)) throw usage(`--act-as ${actAs} is not known`);
  const person = { email: text(v, 'as') ?? '', name: '' };
  const token = text(v, 'access-token-file');
  const as =
    actAs ?? (token !== undefined ? 'person' : person.email === '' ? 'organization' : 'organization_as_person');
  const chosen = chosenFor(manifest, {
    ...rest,
    mode: mode === 'remote' ? 'remote' : mode === 'builtin' ? 'builtin' : undefined,
    actAs: actsAs.find((a) => a === as),
    access: accesses.find((a) => a === access),
  });
  const origins = originsOf(manifest, chosen.settings, chosen.origins);
  const rules = egressRules({ privateHost: undefined, origins, originsPrivate: chosen.originsPrivate });
  const opened =
    token === undefined
      ? await minted(manifest, v, egress, { ...chosen, subject: person.email || undefined, origins, rules })
      : { token: new Secret(secretFrom(token)), scopes: texts(v, 'scope'), facts: {} };
  const signal = AbortSignal.timeout(CHECK_MS);
  const now = (): Date => new Date();
  const vendor = await vendorClient({
    manifest,
    settings: chosen.settings,
    origins,
    rules,
    egress,
    unlock: () => Promise.resolve(opened),
    signal,
    now,
    deadline: new Date(Date.now() + CHECK_MS),
  });
  const given = texts(v, 'arguments').map((a) => pairOf('arguments', a));
  const toolArgs = Object.fromEntries(
    given.map(([tool, file]) => [tool, objectFrom(file, `the arguments of ${tool}`)]),
  );
  return { manifest, report: await probeVendor(vendor, { manifest, ...chosen, person, args: toolArgs, signal, now }) };
}

async function minted(
  manifest: Manifest,
  v: Values,
  egress: Egress,
  c: Pick<ReturnType<typeof chosenFor>, 'settings' | 'access'> & {
    subject: string | undefined;
    origins: Origins;
    rules: ReturnType<typeof egressRules>;
  },
): Promise<Unlocked> {
  const kinds = manifest.organization;
  const kind = text(v, 'account') ?? (kinds.length === 1 ? kinds[0]?.kind : undefined);
  const grant = kinds.find((g) => g.kind === kind);
  if (!grant)
    throw usage(
      kinds.length === 0
        ? `${manifest.name} has no accounts of organizations`
        : 'say which kind of account it is with --account',
      kinds.length === 0
        ? 'give a person’s token with --access-token-file'
        : `one of: ${kinds.map((g) => g.kind).join(', ')}`,
    );
  const file = text(v, 'fields');
  if (file === undefined) throw usage('--fields is missing: a file with what is entered for the account');
  const fields = grant.fields.safeParse(objectFrom(file, 'the account'));
  if (!fields.success)
    throw usage(
      `the account does not fit: ${fields.error.issues.map((i) => `${i.path.map(String).join('.')}: ${i.message}`).join('; ')}`,
    );
  const scopes = manifest.oauth?.scopes[c.access] ?? [];
  const m = await grant.mint({
    fields: fields.data,
    settings: c.settings,
    access: c.access,
    scopes,
    subject: c.subject,
    narrow: undefined,
    origin: (role) => originOf(c.origins, role),
    fetch: siteFetch(egress, c),
    now: new Date(),
  });
  return { token: m.token, scopes: m.scopes ?? [], facts: m.facts ?? {} };
}

function secretFrom(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (e) {
    throw usage(
      `the token cannot be read from ${file}: ${e instanceof Error && 'code' in e ? String(e.code) : 'unreadable'}`,
    );
  }
}

const whose = ({ account }: ProbeReport): string =>
  account ? `${account.label}${account.tenant === undefined ? '' : ` of ${account.tenant}`}` : 'nobody';
