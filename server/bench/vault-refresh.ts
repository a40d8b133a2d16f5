// How many connections a node renews in a second, beside the floor: the same questions to the same vendor without lease, seal, rows and log.
// The vendor is in this process, so both figures have its work in them.
import { openVaultHouse } from '#dev/vault-house.ts';
import { Secret } from '#kernel/secret.ts';
import type { Id } from '#kernel/id.ts';
import { askToken } from '#vault/ask-token.ts';
import { openTokens } from '#vault/kept.ts';
import { findSealedConnection } from '#vault/connection.sql.ts';

const CONNECTIONS = 60;
const AT_ONCE = 20;
const RUNS = 5;

const median = (of: number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? 0;
const figure = (n: number): string => Math.round(n).toLocaleString('en').padStart(10);

/** Prints its figures; the part of `npm run bench -- vault` about renewing. */
export async function benchRefresh(): Promise<void> {
  const h = await openVaultHouse({ rotation: 'replaced' });
  try {
    const ids: Id<'cnn'>[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const hex = (i + 1).toString(16).padStart(32, '0');
      const owner = { kind: 'person', member: `mem_${hex}` as Id<'mem'>, user: `usr_${hex}` as Id<'usr'> } as const;
      ids.push((await h.connect({ owner })).id);
    }
    const perSecond = async (one: (id: Id<'cnn'>) => Promise<unknown>): Promise<number> => {
      const runs: number[] = [];
      for (let r = 0; r <= RUNS; r++) {
        const from = performance.now();
        for (let i = 0; i < ids.length; i += AT_ONCE) await Promise.all(ids.slice(i, i + AT_ONCE).map(one));
        // The first run warms the code.
        if (r > 0) runs.push(ids.length / ((performance.now() - from) / 1000));
      }
      return median(runs);
    };
    const site = await h.world.db.read(h.at, (db) => h.siteOf(db, h.connector));
    if (!site) throw new Error('the house has no connector');
    const { clientId, clientSecret } = h.vendor.app;
    const app = { clientId, method: 'client_secret_post', secret: new Secret(clientSecret) } as const;
    const renewed = await perSecond((id) => h.vault.keepAlive(h.at, id));
    const tokens = new Map<Id<'cnn'>, Secret>();
    for (const id of ids) {
      const found = await h.world.db.read(h.at, (db) => findSealedConnection(db, id));
      if (!found?.sealed) continue;
      const { refresh } = await openTokens(h.world.seal, h.at.org, found.connection, found.sealed);
      if (refresh) tokens.set(id, refresh);
    }
    const floor = await perSecond(async (id) => {
      const parameters = { refresh_token: tokens.get(id)?.reveal() ?? '' };
      const outcome = await askToken(h.world.egress, site, app, {
        grantType: 'refresh_token',
        parameters,
        now: new Date(),
      });
      if (outcome.kind === 'granted' && outcome.grant.refreshToken !== undefined)
        tokens.set(id, new Secret(outcome.grant.refreshToken));
    });
    console.log(
      [
        `${CONNECTIONS} connections of one org, ${AT_ONCE} at once, middle of ${RUNS} runs, one node`,
        `  refreshes/s      ${figure(renewed)}   leased, written ahead, sealed, stored, in the log`,
        `  token calls/s    ${figure(floor)}   the same vendor asked and nothing kept`,
      ].join('\n'),
    );
  } finally {
    await h.close();
  }
}
