import { z } from 'zod';
import { text, type Values } from '../scim/scim-options.ts';
import { EXIT, usage } from '../policy/exit.ts';
import type { PolicyCommand } from '../policy/run-policy.ts';
import { choiceHelp, choiceOf, choiceOptions } from './choice-options.ts';

const Added = z.looseObject({
  id: z.string(),
  slug: z.string(),
  mcp: z.string(),
  redirectUri: z.string().nullable(),
  access: z.string(),
  actAs: z.string(),
  authorization: z.looseObject({ client: z.string(), says: z.array(z.string()) }).optional(),
});

const ofCatalogue = (v: Values): object => {
  const type = text(v, 'type');
  if (type === undefined)
    throw usage('--type or --server is missing', 'gatehouse connector list --catalogue shows the types');
  const [slug, name] = [text(v, 'slug'), text(v, 'name')];
  return {
    type,
    ...choiceOf(v),
    ...(slug === undefined ? {} : { slug }),
    ...(name === undefined ? {} : { name }),
  };
};

const ofOwn = (v: Values): object => {
  const [slug, login, actAs] = [text(v, 'slug'), text(v, 'authorization-server'), text(v, 'act-as')];
  if (slug === undefined)
    throw usage('--slug is missing', 'say what a server of your own is to be called in addresses');
  return {
    slug,
    name: text(v, 'name') ?? slug,
    url: text(v, 'server'),
    allowPrivate: v['private'] === true,
    ...(actAs === undefined ? {} : { actAs }),
    ...(login === undefined ? {} : { authorizationServer: login }),
  };
};

/** `gatehouse connector add`: makes a system of the catalogue available. */
export const addCommand: PolicyCommand = {
  help: `gatehouse connector add --type TYPE [--slug SLUG] [--name NAME] …
gatehouse connector add --server ADDRESS --slug SLUG [--name NAME] [--act-as person|organization] [--authorization-server ADDRESS] [--private]
Makes a system of the catalogue available, or an MCP server of your own. One that lets in only who has an account is asked how to get one.
The key needs the permission connector.manage.
${choiceHelp}
  --server ADDRESS      of an MCP server of your own
  --authorization-server ADDRESS  which one, where it names several or none, or one inside the network`,
  options: {
    type: { type: 'string' },
    slug: { type: 'string' },
    name: { type: 'string' },
    server: { type: 'string' },
    'authorization-server': { type: 'string' },
    ...choiceOptions,
  },
  prepare(v) {
    const body = text(v, 'server') === undefined ? ofCatalogue(v) : ofOwn(v);
    return async ({ api, answer }) => {
      const c = await api.ask('POST', '/connectors', Added, body);
      const next =
        c.authorization !== undefined && c.authorization.client !== 'needed' && c.redirectUri !== null
          ? 'People connect at /connections; nobody need register anything.'
          : c.redirectUri !== null
            ? `Register the app at the vendor with the redirect address ${c.redirectUri} and enter it for this connector; then people connect at /connections.`
            : c.actAs === 'none'
              ? 'Review its tools; a rule says who may use them.'
              : "Give it the organization's account.";
      answer(
        [
          `${c.slug} is there (${c.id}), ${c.access.replace('_', ' ')}.`,
          `  address  ${c.mcp}`,
          ...(c.authorization?.says ?? []).map((s) => `  found    ${s}`),
          `  next     ${next}`,
        ],
        c,
      );
      return EXIT.ok;
    };
  },
};
