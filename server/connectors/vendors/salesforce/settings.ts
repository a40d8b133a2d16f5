import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import type { Settings } from '#vault/vendor-auth.ts';

/** API name of an object, standard, custom or of a package. */
export const ObjectName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,79}$/, 'expected the API name of an object, like Account or Invoice__c');
const Objects = z.array(ObjectName).max(300);
export const RecordId = z
  .string()
  .regex(
    /^[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?$/,
    'expected an id of 15 or 18 letters and digits, like 001000000000001AAA',
  );

/** What an administrator says about a Salesforce connector. */
export const SalesforceSettings = z
  .strictObject({
    my_domain: z
      .string()
      .regex(
        /^[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?(?:\.[a-z0-9-]{1,20})?\.my\.salesforce\.com$/,
        'expected the My Domain of the organization, like acme.my.salesforce.com or acme--uat.sandbox.my.salesforce.com',
      )
      .describe('My Domain of the organization or sandbox (Setup, My Domain), without https://'),
    organization_id: z
      .string()
      .regex(/^00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$/, 'expected an id that begins with 00D')
      .describe('Id of the Salesforce organization (Setup, Company Information); accounts of any other are refused'),
    api_version: z
      .string()
      .regex(/^v(?:[5-9][0-9]|1[0-9]{2})\.0$/, 'expected a version like v65.0')
      .optional()
      .describe('Version of the REST API; default v65.0'),
    objects: Objects.optional().describe(
      'API names of the objects that may be read, also as parents and children; no other is',
    ),
    writable: Objects.optional().describe('Those of the objects whose records may be created and changed'),
    deletable: Objects.optional().describe('Those of the objects whose records may be deleted'),
    reports: z
      .array(RecordId)
      .max(200)
      .optional()
      .describe('Ids of the reports that may be run, whatever objects they show'),
    hosted_mcp: z
      .literal(true)
      .optional()
      .describe("For the mode remote only: Salesforce's own MCP server, which knows no list of objects"),
  })
  .superRefine((s, ctx) => {
    const known = new Set((s.objects ?? []).map((o) => o.toLowerCase()));
    if (s.hosted_mcp ? known.size > 0 : known.size === 0)
      ctx.addIssue({
        code: 'custom',
        path: ['objects'],
        message: s.hosted_mcp
          ? 'a list of objects cannot be kept with hosted_mcp'
          : 'name the objects that may be read',
      });
    for (const list of ['writable', 'deletable'] as const)
      for (const o of s[list] ?? [])
        if (!known.has(o.toLowerCase()))
          ctx.addIssue({ code: 'custom', path: [list], message: `${o} is not among objects` });
  });
export type SalesforceSettings = z.infer<typeof SalesforceSettings>;

/** They were checked when the connector was set up. */
export const salesforceSettings = (settings: Settings): SalesforceSettings => SalesforceSettings.parse(settings);

/** An object as the list writes it, if it is in it. Salesforce does not tell case apart. */
export const listed = (list: readonly string[] | undefined, object: string): string | undefined =>
  list?.find((o) => o.toLowerCase() === object.toLowerCase());

const deeds = { objects: 'read', writable: 'written', deletable: 'deleted' } as const;

/** The object as the settings spell it, or the refusal. */
export function openObject(s: SalesforceSettings, object: string, list: keyof typeof deeds = 'objects'): string {
  const name = listed(s[list], object);
  if (name !== undefined) return name;
  const open = s[list] ?? [];
  throw new Problem('forbidden', 'connectors/salesforce-object', {
    says: `${object} is not among the objects that may be ${deeds[list]} with this connector (${open.length === 0 ? 'there are none' : open.slice(0, 20).join(', ')})`,
    fix: `use one of those, or ask an administrator to add it to "${list}" of the Salesforce connector`,
  });
}

/** An id that is none of the object that was named. */
export const otherObject = (object: string, id: string): Problem =>
  new Problem('invalid', 'connectors/salesforce-id', {
    says: `${id} is no id of a record of ${object}`,
    fix: 'take object and id as soql_query or get_record shows them',
  });
