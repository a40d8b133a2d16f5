import { scopeOf } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findUser } from '#org/user.sql.ts';
import type { Connection } from '#vault/connection.ts';
import { keepGrant } from '#vault/keep-grant.ts';
import { tryMint } from '#vault/mint.ts';
import type { Minted, OrganizationGrant, Fields } from '#vault/organization-grant.ts';
import type { Account, Person } from '#vault/vendor-auth.ts';
import { scopesFor } from '#vault/vendor-site.ts';
import { checkAccount } from './check-account.ts';
import type { AtConnector } from './place.ts';

export type AccountWish = {
  kind: string;
  /** As an administrator entered them. */
  fields: Readonly<Record<string, unknown>>;
  ends: Date | undefined;
  /** Saved without asking the vendor: it is not reachable yet, or not set up. */
  unchecked: boolean;
};

/** Gives a connector the organization's account, or another in its place at once. It is tried before it is kept. */
export async function giveAccount(at: AtConnector, wish: AccountWish): Promise<Connection> {
  const { ctx, connector, site } = at;
  const grant = grantOf(at, wish.kind);
  const fields = fieldsOf(grant, wish.fields);
  const { minted, account, ends } = wish.unchecked
    ? { minted: undefined, account: undefined, ends: undefined }
    : await tried(at, grant, fields);
  const made: Connection = {
    id: newId('cnn', ctx.now.getTime()),
    connector: connector.id,
    owner: { kind: 'organization' },
    grantKind: grant.kind,
    access: connector.access,
    account: grant.account?.(fields) ?? account,
    scopes: minted?.scopes ?? scopesFor(site, connector.access),
    shown: grant.shown(fields),
    facts: { ...minted?.facts, ...site.auth.boundTo },
    standing: { state: 'active' },
    generation: 1,
    expiry: {
      access: undefined,
      refresh: undefined,
      idle: undefined,
      given: grant.ends?.(fields) ?? wish.ends ?? ends,
    },
    lastRefreshed: undefined,
    lastUsed: undefined,
    made: { at: ctx.now, by: ctx.actor.kind === 'nobody' ? 'nobody' : ctx.actor.id },
  };
  return keepGrant(ctx, made, { given: fields });
}

/** The kind of account, if this connector can use one. */
function grantOf({ manifest, connector }: AtConnector, kind: string): OrganizationGrant {
  const grant = manifest.organization.find((g) => g.kind === kind);
  const kinds = manifest.organization.filter((g) => g.actsAs.some((a) => a === connector.actAs)).map((g) => g.kind);
  if (!grant)
    throw new Problem('invalid', 'connectors/account-kind', {
      says: `${manifest.name} knows no account of the kind ${kind.slice(0, 60)}`,
      fix: kinds.length > 0 ? `use one of: ${kinds.join(', ')}` : 'nothing is to be given here',
    });
  if (!grant.actsAs.some((a) => a === connector.actAs))
    throw new Problem('conflict', 'connectors/account-acts-as', {
      says:
        connector.actAs === 'person' || connector.actAs === 'none'
          ? `${connector.name} acts as ${connector.actAs === 'person' ? 'each person' : 'nobody'} and uses no account of the organization`
          : `an account of the kind ${kind} cannot act as ${connector.actAs.replaceAll('_', ' ')}`,
      fix: kinds.length > 0 ? `use one of: ${kinds.join(', ')}` : 'choose for the connector as whom it acts',
    });
  return grant;
}

/** Each field's problem by its name, and never its value. */
function fieldsOf(grant: OrganizationGrant, given: Fields): Fields {
  const read = grant.fields.safeParse(given);
  if (read.success) return read.data;
  const issues = read.error.issues
    .slice(0, 20)
    .map((i) => ({ at: ['fields', ...i.path.map(String)].join('.'), says: i.message }));
  throw new Problem('invalid', 'connectors/account-fields', {
    says: issues.map((i) => `${i.at}: ${i.says}`).join('; '),
    fix: 'correct the fields that are named',
    more: { issues },
  });
}

/** A token, and whose it is: what does not get that far is not kept. */
async function tried(
  at: AtConnector,
  grant: OrganizationGrant,
  fields: Fields,
): Promise<{ minted: Minted; account: Account | undefined; ends: Date | undefined }> {
  const { ctx, site, manifest, connector } = at;
  const world = { ...ctx, now: () => ctx.now };
  const asPerson = connector.actAs === 'organization_as_person';
  // It is tried as the administrator who gives it: somebody whom the vendor must know.
  const person = asPerson ? await actingPerson(at) : undefined;
  const outcome = await tryMint(world, site, grant, fields, { subject: person?.email, narrow: undefined });
  if (outcome.kind === 'refused')
    throw new Problem(outcome.because === 'later' ? 'upstream' : 'invalid', 'connectors/account-refused', {
      says: `${site.name} gives no token for this account: ${outcome.says}`,
      fix: 'correct it, or save it with `unchecked` and look again when the vendor is set up',
    });
  const { token, scopes, facts } = outcome.minted;
  const held = { token, scopes: scopes ?? scopesFor(site, site.access), facts: facts ?? {} };
  const checked = await checkAccount(world, manifest, site, held, { person, sameAddress: false, given: fields });
  if ('account' in checked)
    return { minted: outcome.minted, account: asPerson ? undefined : checked.account, ends: checked.ends };
  throw new Problem('invalid', 'connectors/account-unfit', {
    says: `this account of ${site.name} cannot be used: ${checked.says}`,
    fix: 'use an account of your organization there',
  });
}

async function actingPerson({ ctx }: AtConnector): Promise<Person | undefined> {
  const { actor } = ctx;
  if (actor.kind !== 'user') return undefined;
  const user = await ctx.db.read(scopeOf(ctx), (db) => findUser(db, actor.id));
  return user && { email: user.email, name: user.displayName };
}
