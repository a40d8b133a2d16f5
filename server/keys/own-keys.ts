import type { World } from '#kernel/ctx.ts';
import type { Db } from '#kernel/db.ts';
import type { Egress } from '#kernel/egress.ts';
import { parseId } from '#kernel/id.ts';
import type { KeyProvider } from '#kernel/kms/kms.ts';
import type { Log } from '#kernel/log.ts';
import type { OwnKeys, Seal } from '#kernel/seal.ts';
import { Secret } from '#kernel/secret.ts';
import { noteOwnKey } from './note-own-key.ts';
import { ownKeyAad, ownProvider, type OwnKeyState } from './own-key.ts';
import { findOwnKey } from './own-key.sql.ts';

/** Providers that are kept with their logins. */
const MAX_KEPT = 1000;

/**
 * What the seal asks about keys that orgs hold themselves. The seal is needed to open what proves us to them, so it is handed in when it is
 * there (`opens`); the deployment's own secrets never come here.
 */
export function makeOwnKeys(parts: { db: Db; egress: Egress; log: Log }): OwnKeys & { opens(world: World): void } {
  const kept = new Map<string, KeyProvider>();
  const told = new Map<string, OwnKeyState>();
  let world: World | undefined;
  const seal = (): Seal => {
    if (!world) throw new TypeError('an own key was asked for before the seal was there');
    return world.seal;
  };
  return {
    opens(w) {
      world = w;
    },
    async find(scope) {
      const org = parseId('org', scope);
      if (!org) return undefined;
      const own = await parts.db.read({ org }, findOwnKey);
      if (!own) return undefined;
      const known = kept.get(own.id);
      if (known) return known;
      const secret = new Secret(await seal().open(ownKeyAad(own.id), own.sealed));
      const provider = ownProvider(own.id, own.config, secret, parts.egress);
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(own.id, provider);
      return provider;
    },
    told(scope, state) {
      const org = parseId('org', scope);
      if (!org || !world || told.get(scope) === state) return;
      if (told.size >= MAX_KEPT) told.clear();
      told.set(scope, state);
      noteOwnKey(world, org, state).catch((err: unknown) => {
        told.delete(scope);
        parts.log.warn({ err, scope }, 'what an organization’s key service said could not be recorded');
      });
    },
  };
}
