import { Problem } from '#kernel/problem.ts';
import type { Access, ActAs, Person, Settings } from '#vault/vendor-auth.ts';
import type { Account } from '#vault/vendor-auth.ts';
import type { Manifest } from './kit/manifest.ts';
import { toolsOf } from './kit/tool-definition.ts';
import { VendorRefusal, type VendorClient } from './kit/vendor-client.ts';

export type Probe = {
  manifest: Manifest;
  settings: Settings;
  access: Access;
  actAs: ActAs;
  person: Person;
  /** Arguments for tools that need some, by name. */
  args: Readonly<Record<string, unknown>>;
  signal: AbortSignal;
  now(): Date;
};

export type Probed = {
  tool: string;
  /** `not_tried`: it needs arguments that were not given, or it writes. */
  outcome: 'works' | 'refused' | 'not_tried';
  says: string;
  missingScopes: readonly string[];
};
export type ProbeReport = {
  account: Account | undefined;
  /** Why this account is not one of the organization's; or why nobody could be asked. */
  wrong: string | undefined;
  scopes: readonly string[];
  tools: readonly Probed[];
};

/** Asks a vendor whose account a credential is, and each tool that only reads for as little as it takes. Nothing is written there. */
export async function probeVendor(vendor: VendorClient, p: Probe): Promise<ProbeReport> {
  const { manifest } = p;
  const scopes = vendor.scopes;
  let account: Account;
  try {
    account = await manifest.whoami(vendor);
  } catch (e) {
    return { account: undefined, wrong: wordsOf(e), scopes, tools: [] };
  }
  const wrong = manifest.foreign?.(account, p.settings, undefined);
  const tools: Probed[] = [];
  for (const tool of manifest.builtin ? toolsOf(manifest.builtin, p.access) : []) {
    const lacks = scopes.length > 0 && tool.scopes.length > 0 && !tool.scopes.some((s) => scopes.includes(s));
    const missingScopes = lacks ? tool.scopes : [];
    const told = (outcome: Probed['outcome'], says: string): void =>
      void tools.push({ tool: tool.name, outcome, says, missingScopes });
    const args = tool.input.safeParse(p.args[tool.name] ?? {});
    if (tool.class !== 'read') told('not_tried', 'it writes');
    else if (!args.success) told('not_tried', `needs arguments: ${needed(args.error.issues)}`);
    else
      try {
        const call = { vendor, settings: p.settings, actAs: p.actAs, person: p.person, now: p.now(), signal: p.signal };
        // As in serve-builtin.ts: what this very schema made of them.
        const answer = await tool.run(call, args.data as never);
        const text = answer.content.find((c) => c.type === 'text');
        told(answer.isError ? 'refused' : 'works', text?.type === 'text' ? firstLine(text.text) : '');
      } catch (e) {
        told('refused', wordsOf(e));
      }
  }
  return { account, wrong, scopes, tools };
}

const needed = (issues: readonly { path: readonly PropertyKey[] }[]): string =>
  [...new Set(issues.map((i) => i.path.map(String).join('.')).filter((s) => s !== ''))].join(', ') || 'other ones';
const firstLine = (text: string): string => text.split('\n', 1)[0]?.slice(0, 80) ?? '';

function wordsOf(e: unknown): string {
  if (e instanceof VendorRefusal) return e.says;
  if (e instanceof Problem) return e.fix === undefined ? e.says : `${e.says}; ${e.fix}`;
  throw e;
}
