import { z } from 'zod';
import { text } from '../scim/scim-options.ts';
import { EXIT, usage } from '../policy/exit.ts';
import type { PolicyCommand } from '../policy/run-policy.ts';
import { choiceHelp, choiceOf, choiceOptions } from './choice-options.ts';

const Added = z.looseObject({
  id: z.string(),
  slug: z.string(),
  mcp: z.string(),
  redirectUri: z.string().nullable(),
  access: z.string(),
});

/** `gatehouse connector add`: makes a system of the catalogue available. */
export const addCommand: PolicyCommand = {
  help: `gatehouse connector add --type TYPE [--slug SLUG] [--name NAME] …
Makes a system of the catalogue available. The key needs the permission connector.manage.
${choiceHelp}`,
  options: { type: { type: 'string' }, slug: { type: 'string' }, name: { type: 'string' }, ...choiceOptions },
  prepare(v) {
    const type = text(v, 'type');
    if (type === undefined) throw usage('--type is missing', 'gatehouse connector list --catalogue shows the types');
    const [slug, name] = [text(v, 'slug'), text(v, 'name')];
    const body = {
      type,
      ...choiceOf(v),
      ...(slug === undefined ? {} : { slug }),
      ...(name === undefined ? {} : { name }),
    };
    return async ({ api, answer }) => {
      const c = await api.ask('POST', '/connectors', Added, body);
      const next =
        c.redirectUri !== null
          ? `Register the app at the vendor with the redirect address ${c.redirectUri} and enter it for this connector; then people connect at /connections.`
          : "Give it the organization's account.";
      answer(
        [`${c.slug} is there (${c.id}), ${c.access.replace('_', ' ')}.`, `  address  ${c.mcp}`, `  next     ${next}`],
        c,
      );
      return EXIT.ok;
    };
  },
};
