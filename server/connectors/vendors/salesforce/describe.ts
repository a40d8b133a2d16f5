import { z } from 'zod';
import { MiB } from '#kernel/limits.ts';
import { dataPath, salesforce, type SalesforceCall } from './salesforce-api.ts';

const Field = z.looseObject({
  name: z.string(),
  label: z.string(),
  type: z.string(),
  length: z.number().optional(),
  nillable: z.boolean(),
  createable: z.boolean(),
  updateable: z.boolean(),
  defaultedOnCreate: z.boolean().optional(),
  relationshipName: z.string().nullish(),
  referenceTo: z.array(z.string()).optional(),
  picklistValues: z.array(z.looseObject({ value: z.string(), active: z.boolean().optional() })).optional(),
});
export type Field = z.infer<typeof Field>;

const Description = z.looseObject({
  name: z.string(),
  label: z.string(),
  keyPrefix: z.string().nullish(),
  createable: z.boolean().optional(),
  updateable: z.boolean().optional(),
  deletable: z.boolean().optional(),
  fields: z.array(Field),
  childRelationships: z
    .array(z.looseObject({ relationshipName: z.string().nullish(), childSObject: z.string(), field: z.string() }))
    .optional(),
});
export type Description = z.infer<typeof Description>;

/** An object of a large organization describes itself with some thousand fields. */
const MAX_DESCRIPTION = 12 * MiB;

/** What is known of objects, for the length of one call: each is asked about once. */
export function describer(call: SalesforceCall): (object: string) => Promise<Description> {
  const known = new Map<string, Promise<Description>>();
  return (object) => {
    const key = object.toLowerCase();
    let found = known.get(key);
    if (!found) {
      found = salesforce(
        call,
        { method: 'GET', path: dataPath(call, 'sobjects', object, 'describe'), maxBytes: MAX_DESCRIPTION },
        Description,
      ).then((d) => d.value);
      known.set(key, found);
    }
    return found;
  };
}
