import { parseArgs } from 'node:util';
import type { World } from '@gatehouse/server/kernel/ctx.ts';
import type { KeyProvider } from '@gatehouse/server/kernel/kms/kms.ts';
import type { KeyScope } from '@gatehouse/server/keys/key.sql.ts';
import type { KeyPlace } from '@gatehouse/server/keys/key-place.ts';

/** For whoever runs the deployment: all of its keys, beside a server that may run. Owners of an org have the same by the API. */
export async function keysCommand(
  verb: 'status' | 'rotate' | 'retire' | 'move',
  args: string[],
  withWorld: <T>(work: (world: World) => Promise<T>) => Promise<T>,
): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      scope: { type: 'string' },
      all: { type: 'boolean', default: false },
      data: { type: 'boolean', default: false },
      master: { type: 'boolean', default: false },
      generation: { type: 'string' },
      to: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const wrong = usage(verb, values);
  if (wrong !== undefined) {
    console.error(wrong);
    return 2;
  }
  const say = (line: string, facts: object): void => console.log(values.json ? JSON.stringify(facts) : line);
  return withWorld(async (world) => {
    switch (verb) {
      case 'status':
        return status(world, values.scope, say);
      case 'rotate':
        return values.master
          ? move(world, world.seal.keys.provider, true, say)
          : rotate(world, values.scope, values.data ? 'data' : 'key', say);
      case 'retire': {
        const { retireKey } = await import('@gatehouse/server/keys/retire-key.ts');
        for (const { place } of await placesOf(world, values.scope))
          await retireKey(world, place, Number(values.generation));
        say(`destroyed the key of generation ${values.generation} of ${values.scope}`, { retired: values.generation });
        return 0;
      }
      case 'move': {
        const { provider, also } = world.seal.keys;
        const to = [provider, ...also].find((p) => p.name.startsWith(`${values.to}:`));
        if (!to) {
          console.error(
            `gatehouse keys move: the settings name no key service ${values.to}. They name ${[provider, ...also].map((p) => p.name).join(' and ')}.`,
          );
          return 2;
        }
        return move(world, to, false, say);
      }
    }
  });
}

type Say = (line: string, facts: object) => void;
type Values = { scope?: string; all: boolean; data: boolean; master: boolean; generation?: string; to?: string };

/** What is wrong with the command line, in words. */
function usage(verb: string, v: Values): string | undefined {
  if (verb === 'move' && v.to === undefined)
    return 'gatehouse keys move needs --to local, vault-transit or aws-kms: one of those that the settings name.';
  if (verb === 'rotate' && [v.master, v.all, v.scope !== undefined].filter(Boolean).length !== 1)
    return 'gatehouse keys rotate needs one of --master (wrap all keys by the newest version of the key service), --scope org_…|par_…|deployment, or --all; with --data only the data keys are new.';
  if (verb === 'retire' && (v.scope === undefined || !/^[1-9]\d*$/.test(v.generation ?? '')))
    return 'gatehouse keys retire needs --scope and --generation: gatehouse keys status shows both.';
  return undefined;
}

async function placesOf(world: World, only: string | undefined): Promise<{ of: KeyScope; place: KeyPlace }[]> {
  const { listKeyScopes } = await import('@gatehouse/server/keys/key.sql.ts');
  const { placeFor } = await import('@gatehouse/server/keys/key-place.ts');
  const found: KeyScope[] = [];
  for (let after = ''; ;) {
    const page = await world.db.read({}, (db) => listKeyScopes(db, after, 500));
    found.push(...page);
    const last = page.at(-1);
    if (!last || page.length < 500) break;
    after = last.scope;
  }
  if (!found.some((s) => s.scope === 'deployment'))
    found.unshift({ scope: 'deployment', parent: null, org: null, providers: [] });
  const wanted = found.filter((s) => only === undefined || s.scope === only);
  if (wanted.length === 0) throw new Error(`there are no keys of ${only}`);
  return wanted.map((of) => ({ of, place: placeFor(world, 'keys.command', of) }));
}

async function status(world: World, scope: string | undefined, say: Say): Promise<number> {
  const { readKeyStatus } = await import('@gatehouse/server/keys/read-key-status.ts');
  const { provider, also } = world.seal.keys;
  say(
    `new keys are wrapped by ${provider.name}${also.length > 0 ? `; ${also.map((p) => p.name).join(', ')} may still open` : ''}`,
    { provider: provider.name, also: also.map((p) => p.name) },
  );
  for (const { place } of await placesOf(world, scope)) {
    const s = await readKeyStatus(world, place);
    const keys = s.keys.map(
      (k) =>
        `generation ${k.generation}: ${k.retiredAt === null ? `${k.secrets} secrets, wrapped by ${k.provider}` : `destroyed ${k.retiredAt.slice(0, 10)}`}`,
    );
    const turning =
      s.rotation?.state === 'running' ? [`being sealed anew: ${s.rotation.resealed} of ${s.rotation.total}`] : [];
    const own = s.own ? [`own key ${s.own.where} (${s.own.state})`] : [];
    const none = s.keys.length === 0 ? ['no key yet: nothing is sealed with one'] : [];
    say(`${s.scope}\n  ${[...own, ...none, ...keys, ...turning].join('\n  ')}`, s);
  }
  return 0;
}

async function rotate(world: World, scope: string | undefined, what: 'key' | 'data', say: Say): Promise<number> {
  const { rotateKeys } = await import('@gatehouse/server/keys/rotate-keys.ts');
  const { resealAll } = await import('@gatehouse/server/keys/reseal-next.ts');
  const { findRotation } = await import('@gatehouse/server/keys/key.sql.ts');
  for (const { place } of await placesOf(world, scope)) {
    const before = await place.read((db) => findRotation(db, place.scope));
    const r = before?.state === 'running' ? before : await rotateKeys(world, place, what, 'keys.command');
    const done = await resealAll(world, place, r.id, (x) =>
      say(`${place.scope}: ${x.resealed} of ${x.total} secrets sealed anew`, {
        scope: place.scope,
        resealed: x.resealed,
        total: x.total,
      }),
    );
    say(`${place.scope}: done with generation ${r.generation}`, { scope: place.scope, state: done?.state });
  }
  return 0;
}

async function move(world: World, to: KeyProvider, again: boolean, say: Say): Promise<number> {
  const { moveKeys } = await import('@gatehouse/server/keys/move-keys.ts');
  const done = await moveKeys(world, to, {
    again,
    progress: (p) => say(`${p.scope}: ${p.keys} keys wrapped so far, ${p.scopes} scopes looked at`, p),
  });
  say(`all keys of ${done.scopes} scopes are wrapped by ${to.name}; ${done.keys} were not before`, {
    done,
    to: to.name,
  });
  return 0;
}
