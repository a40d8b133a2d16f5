import type { World } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Fields } from '#vault/organization-grant.ts';
import type { Account, Person } from '#vault/vendor-auth.ts';
import type { VendorSite } from '#vault/vendor-site.ts';
import type { Manifest } from '../kit/manifest.ts';
import { vendorClient, VendorRefusal } from '../kit/vendor-client.ts';

/** How long a vendor may take to say whose account it is. */
const ASK_MS = 15_000;

/** A token that belongs to no connection yet. */
export type Held = { token: Secret; scopes: readonly string[]; facts: Readonly<Record<string, string>> };
export type Checked =
  | { account: Account; ends?: Date | undefined }
  | { why: 'unknown_account' | 'foreign_account' | 'other_address'; says: string };

/** Whose account a token is, and whether it may be connected here. What the vendor says is believed about the account, never what a browser brought. */
export async function checkAccount(
  world: Pick<World, 'egress' | 'now'>,
  manifest: Manifest,
  site: VendorSite,
  held: Held,
  wanted: { person: Person | undefined; sameAddress: boolean; given?: Fields },
): Promise<Checked> {
  let account: Account;
  let ends: Date | undefined;
  try {
    const vendor = await vendorClient({
      manifest,
      settings: site.settings,
      origins: site.origins,
      rules: site.rules,
      egress: world.egress,
      unlock: () => Promise.resolve(held),
      signal: AbortSignal.timeout(ASK_MS),
      now: () => world.now(),
      deadline: new Date(world.now().getTime() + ASK_MS),
    });
    account = await manifest.whoami(vendor);
    // Good to know; an account whose vendor stumbles over this question is as good as before.
    ends = wanted.given && (await manifest.givenEnds?.(vendor, wanted.given).catch(() => undefined));
  } catch (e) {
    // A vendor's answer of another form than its documentation says is a vendor that did not say whose account it is.
    const says =
      e instanceof VendorRefusal || e instanceof Problem ? e.says : 'its answer is not of the form that it documents';
    return { why: 'unknown_account', says: `${site.name} did not say whose account this is: ${says}` };
  }
  const foreign = manifest.foreign?.(account, site.settings, wanted.person);
  if (foreign !== undefined) return { why: 'foreign_account', says: foreign };
  const { person } = wanted;
  if (person && wanted.sameAddress && account.email !== undefined && !sameAddress(account.email, person.email))
    return {
      why: 'other_address',
      says: `this account is ${account.email}, and you are ${person.email} here`,
    };
  return { account, ends };
}

const sameAddress = (a: string, b: string): boolean =>
  a.normalize('NFC').toLowerCase() === b.normalize('NFC').toLowerCase();
