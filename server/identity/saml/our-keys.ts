import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { DAY_MS } from './connection.ts';
import type { SigningKey } from './message.ts';
import { samlEvents } from './saml.events.ts';
import { selfSigned } from '#kernel/self-signed.ts';
import { insertOurKey, listOurKeys, lockKeys, retireOldKeys, type OurKey } from './state.sql.ts';
import { readCertificate } from './certificate.ts';

/** Identity providers warn about certificates that end, and none checks more than that they have not. */
const CERTIFICATE_YEARS = 10;

const keyPlace = (parent: Id<'par'>, id: Id<'skk'>) => ({ table: 'saml_key', scope: parent, row: id, generation: 1 });

/** Our keys as a service provider for one organization, the newest first; the first one is made when somebody first needs it. */
export async function ourKeys(ctx: OrgCtx): Promise<readonly OurKey[]> {
  const found = await ctx.db.read({ parent: ctx.parent }, (db) => listOurKeys(db, ctx.org));
  return found.length > 0 ? found : makeOurKey(ctx, { unlessThere: true });
}

/** Makes a further key. The one before decrypts until the next change, so that identity providers have time to fetch our metadata. */
export const rotateOurKey = (ctx: OrgCtx): Promise<readonly OurKey[]> => makeOurKey(ctx, { unlessThere: false });

async function makeOurKey(ctx: OrgCtx, how: { unlessThere: boolean }): Promise<readonly OurKey[]> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 });
  const id = newId('skk', ctx.now.getTime());
  const made: OurKey = {
    id,
    certificate: selfSigned(privateKey, {
      name: `Gatehouse ${ctx.org}`,
      notBefore: new Date(ctx.now.getTime() - DAY_MS),
      notAfter: new Date(ctx.now.getTime() + CERTIFICATE_YEARS * 365 * DAY_MS),
    }),
    sealed: await ctx.seal.seal(
      keyPlace(ctx.parent, id),
      Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    ),
    createdAt: ctx.now,
    retiredAt: null,
  };
  // The parent's log: the entity is the organization's, but who may sign in with it is the parent's business.
  return change({ ...ctx, org: undefined }, async (tx) => {
    await lockKeys(tx, ctx.org);
    const there = await listOurKeys(tx, ctx.org);
    if (how.unlessThere && there.length > 0) return { value: there, unchanged: true };
    await insertOurKey(tx, ctx.org, made);
    await retireOldKeys(tx, ctx.org, ctx.now);
    const { fingerprint } = readCertificate(made.certificate.toString('base64'));
    return {
      value: await listOurKeys(tx, ctx.org),
      events: [event(samlEvents, 'sso.saml_key_made', { org: ctx.org, key: id, fingerprint })],
    };
  });
}

/** The private keys as PEM, the newest first. */
export const openOurKeys = (ctx: Ctx, keys: readonly OurKey[]): Promise<string[]> =>
  Promise.all(keys.map(async (k) => (await ctx.seal.open(keyPlace(ctx.parent, k.id), k.sealed)).toString()));

/** The key that signs now. */
export async function signingKey(ctx: OrgCtx): Promise<SigningKey> {
  const [newest] = await ourKeys(ctx);
  if (!newest) throw new TypeError('a key was made and is not there');
  const [pem = ''] = await openOurKeys(ctx, [newest]);
  return { pem, certificate: newest.certificate.toString('base64') };
}
