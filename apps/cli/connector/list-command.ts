import { text } from '../scim/scim-options.ts';
import { everyItem } from '../policy/api.ts';
import { EXIT } from '../policy/exit.ts';
import type { PolicyCommand } from '../policy/run-policy.ts';
import { tableOf } from './table.ts';

/** `gatehouse connector list`: what an organization has, or could have. */
export const listCommand: PolicyCommand = {
  help: `gatehouse connector list [--catalogue] [--q WORDS]
Lists the connectors of an organization; with --catalogue the kinds of systems that one can be made for.
The key needs the permission connector.read.
  --q WORDS             only those in which these words are found`,
  options: { catalogue: { type: 'boolean' }, q: { type: 'string' } },
  prepare(v) {
    const q = text(v, 'q');
    const found = (c: Record<string, unknown>): boolean =>
      q === undefined || JSON.stringify(c).toLowerCase().includes(q.toLowerCase());
    return async ({ api, answer }) => {
      if (v['catalogue'] === true) {
        const types = await everyItem(api, `/catalogue${q === undefined ? '' : `?q=${encodeURIComponent(q)}`}`);
        const rows = types.map((t) => [
          String(t['type']),
          String(t['name']),
          listed(t['modes'], (m) => String(Object(m)['mode'])),
          listed(t['actsAs'], String),
          String(t['says']),
        ]);
        answer(tableOf(['TYPE', 'NAME', 'MODES', 'ACTS AS', 'SAYS'], rows), types);
        return EXIT.ok;
      }
      const connectors = (await everyItem(api, '/connectors')).filter(found);
      const rows = connectors.map((c) =>
        ['slug', 'type', 'mode', 'actAs', 'access', 'state', 'mcp'].map((key) => String(c[key])),
      );
      answer(tableOf(['SLUG', 'TYPE', 'MODE', 'ACTS AS', 'ACCESS', 'STATE', 'ADDRESS'], rows), connectors);
      return EXIT.ok;
    };
  },
};

const listed = (v: unknown, word: (item: unknown) => string): string =>
  Array.isArray(v) ? v.map(word).join(', ') : '';
