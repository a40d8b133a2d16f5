import { z } from 'zod';
import { declare } from '#audit/events.ts';

/** Documents that describe services, and what was made of them. */
export const openApiEvents = {
  'openapi.fetched': declare({
    data: z.object({ host: z.string().max(300), sha256: z.string(), operations: z.number().int() }),
    says: (d) => `had an OpenAPI document fetched from ${d.host} to look at it (${d.operations} operations)`,
    ocsf: 5019,
    about: (d) => ({ resource: d.host }),
  }),
  'openapi.imported': declare({
    data: z.object({
      connector: z.string(),
      slug: z.string(),
      /** Null: it was given, not fetched. */
      source: z.string().max(300).nullable(),
      sha256: z.string(),
      operations: z.number().int(),
      auth: z.string().max(40),
    }),
    says: (d) => `imported ${d.operations} operations into the connector ${d.slug}`,
    ocsf: 5019,
    about: (d) => ({ connector: d.connector, resource: d.slug }),
  }),
} as const;
