// A node that seals a scope anew, in a process of its own, so that it can be killed: it says each step on stdout.
import { parseArgs } from 'node:util';
import { makeEgress } from '#kernel/egress.ts';
import { connect } from '#kernel/db.ts';
import { parseId } from '#kernel/id.ts';
import { localKeyFile } from '#kernel/kms/local.ts';
import { vaultKeyName, vaultTransit } from '#kernel/kms/vault-transit.ts';
import { silentLog } from '#kernel/log.ts';
import { openSealWith } from '#kernel/open-seal.ts';
import { Secret } from '#kernel/secret.ts';
import { findRotation } from '#keys/key.sql.ts';
import { placeFor } from '#keys/key-place.ts';
import { moveKeys } from '#keys/move-keys.ts';
import { resealAll } from '#keys/reseal-next.ts';
import { testWorld } from '../test-world.ts';

const { values: v } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    key: { type: 'string', default: '' },
    parent: { type: 'string', default: '' },
    org: { type: 'string', default: '' },
    vault: { type: 'string' },
    token: { type: 'string', default: '' },
  },
});
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
process.stdin.once('end', () => process.exit(0)).resume();

const db = connect({ url: v.url, role: 'gatehouse_app', log: silentLog });
const egress = makeEgress({ log: silentLog });
const local = await localKeyFile(v.key, { create: false });
const transit =
  v.vault === undefined
    ? undefined
    : {
        address: v.vault,
        private: true,
        mount: 'transit',
        key: 'gatehouse',
        derived: false,
        login: { by: 'token', token: async () => new Secret(v.token) } as const,
      };
const provider = transit ? vaultTransit(transit, egress, vaultKeyName(transit)) : local;
const seal = await openSealWith(provider, db, { also: transit ? [local] : [] });
const world = await testWorld(db, { seal, egress });
if (transit) {
  const done = await moveKeys(world, provider, { again: false, progress: (p) => say(p) });
  say({ done });
} else {
  const place = placeFor(world, 'test', {
    scope: v.org,
    parent: parseId('par', v.parent) ?? null,
    org: parseId('org', v.org) ?? null,
  });
  const r = await place.read((reader) => findRotation(reader, v.org));
  if (r) await resealAll(world, place, r.id, ({ resealed, state }) => say({ resealed, state }));
  say({ done: true });
}
process.exit(0);
