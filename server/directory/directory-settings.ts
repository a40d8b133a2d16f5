import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { customSchema, groupResource, resource, userResource, type Resource } from './scim-schema.ts';

/** Parts that Unicode's and SCIM's grammars agree on, short enough for a column of a list. */
const attributeName = z
  .string()
  .max(60)
  .regex(/^[A-Za-z][\w-]*$/, 'a name begins with a letter and has letters, digits, "_" and "-"')
  .refine((n) => !['constructor', 'prototype', '__proto__', 'id', 'schemas', 'meta'].includes(n.toLowerCase()), {
    message: 'this name is reserved',
  });

/** An attribute that an administrator adds to people: typed, so that it is parsed, patched and searched like any other. */
export const CustomAttribute = z.strictObject({
  name: attributeName,
  type: z.enum(['string', 'boolean', 'integer', 'decimal', 'dateTime', 'reference']),
  multi: z.boolean().default(false),
  caseExact: z.boolean().default(false),
  says: z.string().max(300).default(''),
});
export type CustomAttribute = z.infer<typeof CustomAttribute>;

/** Extensions of one directory, and attributes of one extension: what an answer of /Schemas and a form in the portal can still show. */
export const MAX_EXTENSIONS = 10;
export const MAX_CUSTOM_ATTRIBUTES = 50;

/** A schema extension for people (RFC 7643 §3.3), under the administrator's own URN. */
export const Extension = z.strictObject({
  schema: z
    .string()
    .max(200)
    .regex(/^urn:[a-z0-9][a-z0-9-]{1,31}(:[A-Za-z0-9._-]+)+$/i, 'a URN like urn:acme:params:scim:schemas:hr:1.0:User')
    .refine((u) => !/^urn:(ietf|gatehouse):/i.test(u), 'this URN belongs to somebody else; use one of your own'),
  name: z.string().trim().min(1).max(60),
  attributes: z
    .array(CustomAttribute)
    .min(1)
    .max(MAX_CUSTOM_ATTRIBUTES)
    .refine((all) => new Set(all.map((a) => a.name.toLowerCase())).size === all.length, 'a name is there twice'),
});
export type Extension = z.infer<typeof Extension>;
export const Extensions = z
  .array(Extension)
  .max(MAX_EXTENSIONS)
  .refine((all) => new Set(all.map((e) => e.schema.toLowerCase())).size === all.length, 'a URN is there twice')
  // Names are looked up by "URN:attribute", so no URN may be the beginning of another.
  .refine(
    (all) =>
      !all.some((a) => all.some((b) => a !== b && b.schema.toLowerCase().startsWith(`${a.schema.toLowerCase()}:`))),
    'one URN begins with another',
  );

export const Domain = z
  .string()
  .trim()
  .toLowerCase()
  .max(253)
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'a domain like corp.example');

/**
 * How a directory is treated. `compat` takes every spelling that vendors document; `strict` refuses what RFC 7644 lets a server refuse.
 * `domainPolicy` says what becomes of people whose address is in none of `domains`: they get an account, they are kept without one, or they are refused.
 */
export const DirectorySettings = z.object({
  profile: z.enum(['compat', 'strict']),
  domains: z.array(z.string()),
  domainPolicy: z.enum(['accept', 'hold', 'refuse']),
  extensions: z.array(Extension),
  /** Requests a second that are always served; twice as many at once. */
  rate: z.number().int(),
  /** `changes`: writes and refusals; `all`: reads too, while somebody looks for a fault. */
  journal: z.enum(['changes', 'all']),
  journalDays: z.number().int(),
});
export type DirectorySettings = z.infer<typeof DirectorySettings>;

/** A new directory's; the columns' defaults are the same. */
export const defaultSettings: DirectorySettings = {
  profile: 'compat',
  domains: [],
  domainPolicy: 'accept',
  extensions: [],
  rate: 200,
  journal: 'changes',
  journalDays: 30,
};

/** The two kinds of resources as one directory knows them. */
export type Resources = { readonly user: Resource; readonly group: Resource };

const plain: Resources = { user: userResource, group: groupResource };
const made = new Map<string, Resources>();

/** The resources with the directory's own attributes. Remembered by what was declared, so it is put together once. */
export function resourcesOf(extensions: readonly Extension[]): Resources {
  if (extensions.length === 0) return plain;
  const key = JSON.stringify(extensions);
  const known = made.get(key);
  if (known) return known;
  const own = extensions.map((e) =>
    customSchema(
      e.schema,
      e.name,
      e.attributes.map((a) => ({ ...a, says: a.says || a.name })),
    ),
  );
  const all: Resources = {
    ...plain,
    user: resource('User', '/Users', userResource.schema, [...userResource.extensions, ...own]),
  };
  if (made.size >= 1000) made.clear();
  made.set(key, all);
  return all;
}

/** Refuses what a strict directory may not send; a lenient one's journal notes it. */
export function refuseIgnored(profile: DirectorySettings['profile'], ignored: ReadonlySet<string>): void {
  const [first] = ignored;
  if (profile === 'compat' || first === undefined) return;
  throw new Problem('invalid', 'directory/unknown-attribute', {
    says: `no schema of this directory has ${[...ignored].slice(0, 5).join(', ')}`,
    fix: 'take it out of the mapping, declare it as an extension attribute, or set the directory to "compat"',
    more: { scimType: 'invalidSyntax', path: first },
  });
}
