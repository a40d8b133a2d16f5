import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { toolClasses } from '#policy/schema.ts';

const names = z.array(z.string().max(128)).max(1000);

/** What happens to connectors and to what is known of their tools. */
export const connectorEvents = {
  'connector.added': declare({
    data: z.object({
      connector: z.string(),
      slug: z.string(),
      host: z.string(),
      auth: z.enum(['none', 'bearer']),
      privateHost: z.boolean(),
    }),
    says: (d) => `added the connector ${d.slug} at ${d.host}${d.privateHost ? ', a private address' : ''}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector.enabled': declare({
    data: z.object({ connector: z.string(), slug: z.string() }),
    says: (d) => `switched the connector ${d.slug} on`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector.disabled': declare({
    data: z.object({ connector: z.string(), slug: z.string() }),
    says: (d) => `switched the connector ${d.slug} off for everyone`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'tools.seen': declare({
    data: z.object({
      connector: z.string(),
      added: names,
      changed: names,
      restored: names,
      removed: names,
    }),
    says: (d) =>
      `saw other tools at a connector: ${[
        ['new', d.added],
        ['changed', d.changed],
        ['as reviewed again', d.restored],
        ['gone', d.removed],
      ]
        .filter(([, of]) => of?.length)
        .map(([what, of]) => `${of?.length} ${String(what)}`)
        .join(', ')}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'tools.reviewed': declare({
    data: z.object({
      connector: z.string(),
      tools: z.array(z.object({ name: z.string().max(128), pin: z.string(), class: z.enum(toolClasses) })).max(1000),
    }),
    says: (d) => `reviewed ${d.tools.length} tool${d.tools.length === 1 ? '' : 's'} of a connector`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
} as const;
