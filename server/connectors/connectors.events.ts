import { z } from 'zod';
import { accesses, actsAs } from '#vault/vendor-auth.ts';
import { modes } from './kit/manifest.ts';
import { declare } from '#audit/events.ts';
import { brought, toolClasses } from '#policy/schema.ts';

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
      tunnel: z.string().optional(),
      /** Of the catalogue. */
      type: z.string().optional(),
      mode: z.enum(modes).optional(),
      actAs: z.enum(actsAs).optional(),
      access: z.enum(accesses).optional(),
    }),
    says: (d) =>
      `added the connector ${d.slug}${d.type === undefined ? '' : ` (${d.type}${d.access === 'read_only' ? ', read only' : ''})`} at ${d.host}${d.privateHost ? ', a private address' : ''}${d.tunnel === undefined ? '' : `, through the tunnel ${d.tunnel}`}`,
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
  'connector.changed': declare({
    data: z.object({
      connector: z.string(),
      slug: z.string(),
      changed: z.array(z.enum(['name', 'access', 'actAs', 'settings'])),
      access: z.enum(accesses),
      actAs: z.enum(actsAs),
    }),
    says: (d) =>
      `changed ${d.changed.join(', ')} of the connector ${d.slug}: it may ${d.access === 'read_only' ? 'read' : 'read and write'}, as ${d.actAs.replaceAll('_', ' ')}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector.tunnel_changed': declare({
    data: z.object({ connector: z.string(), slug: z.string(), tunnel: z.string() }),
    says: (d) => `had the connector ${d.slug} reached through the tunnel ${d.tunnel}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'connector.checked': declare({
    data: z.object({
      connector: z.string(),
      slug: z.string(),
      /** Whether the account is one of the organization's and its vendor says whose it is. */
      usable: z.boolean(),
      works: z.number().int(),
      refused: z.number().int(),
    }),
    says: (d) =>
      `tried the connector ${d.slug}: ${d.usable ? `${d.works} tool${d.works === 1 ? '' : 's'} work${d.works === 1 ? 's' : ''}, ${d.refused} ${d.refused === 1 ? 'does' : 'do'} not` : 'its account cannot be used'}`,
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
      /** Where the review came with the tools: the catalogue and its version. */
      by: z.string().optional(),
      tools: z
        .array(
          z.object({
            name: z.string().max(128),
            pin: z.string(),
            class: z.enum(toolClasses),
            /** How many places of the arguments rules and approvers see. */
            places: z.number().int().optional(),
            /** Whether arguments must fit a schema of the reviewer's. */
            stricter: z.boolean().optional(),
            /** What he said of its answers, and of where it can carry content. */
            brings: z.array(z.enum(brought)).optional(),
            outward: z.boolean().optional(),
          }),
        )
        .max(1000),
    }),
    says: (d) => `reviewed ${d.tools.length} tool${d.tools.length === 1 ? '' : 's'} of a connector`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'tools.kept_closed': declare({
    data: z.object({
      connector: z.string(),
      tools: z.array(z.object({ name: z.string().max(128), pin: z.string() })).max(1000),
    }),
    says: (d) =>
      `looked at ${d.tools.length} tool${d.tools.length === 1 ? '' : 's'} of a connector and kept them closed`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'tools.accepted_cosmetic': declare({
    data: z.object({
      connector: z.string(),
      tools: z.array(z.object({ name: z.string().max(128), from: z.string(), pin: z.string() })).max(1000),
    }),
    says: (d) =>
      `let ${d.tools.length} tool${d.tools.length === 1 ? '' : 's'} keep their review, because only title or icons changed`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'instructions.seen': declare({
    data: z.object({
      connector: z.string(),
      what: z.enum(['first_seen', 'changed', 'removed', 'came_back']),
      pin: z.string(),
    }),
    says: (d) => `saw instructions of a connector to its clients: ${d.what.replace('_', ' ')}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'instructions.reviewed': declare({
    data: z.object({ connector: z.string(), pin: z.string(), verdict: z.enum(['accepted', 'closed']) }),
    says: (d) =>
      d.verdict === 'accepted'
        ? "accepted a connector's instructions to its clients"
        : "keeps a connector's instructions from its clients",
    ocsf: 5019,
    about: (d) => ({ connector: d.connector }),
  }),
  'tool_review.settings_changed': declare({
    data: z.object({ acceptCosmetic: z.boolean() }),
    says: (d) =>
      d.acceptCosmetic
        ? 'lets a tool keep its review when only its title or icons change'
        : 'has every change of a tool wait for a review',
    ocsf: 5019,
  }),
} as const;
