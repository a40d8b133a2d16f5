import type { Membership } from './scim-group.sql.ts';
import type { ScimGroup } from './scim-group.ts';
import { Problem } from '#kernel/problem.ts';
import { etag } from './scim-etag.ts';
import { findResourcePath, groupResource, type Resource } from './scim-schema.ts';
import type { ScimUser } from './scim-user.ts';
import { isObject } from './scim-value.ts';

export const SCIM_TYPE = 'application/scim+json';
export const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** Most resources of one page; announced in ServiceProviderConfig. */
export const MAX_SCIM_PAGE = 1000;
/** Resources of a page when the client does not say. */
export const SCIM_PAGE = 100;

export type Shown = Record<string, unknown>;

const meta = (base: string, r: Resource, it: { id: string; version: number; created: Date; changed: Date }): Shown => ({
  resourceType: r.name,
  created: it.created.toISOString(),
  lastModified: it.changed.toISOString(),
  location: `${base}${r.endpoint}/${it.id}`,
  version: etag(it.version),
});

/** A user as SCIM shows it. `base` is the absolute address of the directory's SCIM server. */
export function shownUser(base: string, r: Resource, u: ScimUser, groups: readonly Membership[]): Shown {
  const extensions = r.extensions.map((e) => e.id).filter((id) => u.attributes[id] !== undefined);
  // What an extension said that is no longer declared is kept, and not shown.
  const known = Object.entries(u.attributes).filter(([name]) => !name.startsWith('urn:') || extensions.includes(name));
  return {
    schemas: [r.schema.id, ...extensions],
    id: u.id,
    ...Object.fromEntries(known),
    ...(groups.length > 0
      ? { groups: groups.map((m) => ({ value: m.group, $ref: `${base}/Groups/${m.group}`, display: m.groupName })) }
      : {}),
    meta: meta(base, r, u),
  };
}

/** A group as SCIM shows it; `members` undefined where nobody asked for them. */
export const shownGroup = (base: string, g: ScimGroup, members: readonly Membership[] | undefined): Shown => ({
  schemas: [groupResource.schema.id],
  id: g.id,
  displayName: g.displayName,
  ...(g.externalId === undefined ? {} : { externalId: g.externalId }),
  ...(members === undefined
    ? {}
    : {
        members: members.map((m) => ({
          value: m.user,
          $ref: `${base}/Users/${m.user}`,
          type: 'User',
          ...(m.display === null ? {} : { display: m.display }),
        })),
      }),
  meta: meta(base, groupResource, g),
});

/** Names of attributes as a tree: `name.givenName` is `{ name: { givenName: {} } }`. */
type Names = Map<string, Names>;

/** Which attributes an answer shall have (RFC 7644 §3.9). */
export type Selection = { only: Names } | { without: Names } | undefined;

export function parseSelection(
  among: Resource | readonly Resource[],
  attributes: string | undefined,
  excluded: string | undefined,
): Selection {
  const all = 'schema' in among ? [among] : among;
  if (attributes !== undefined && excluded !== undefined)
    throw new Problem('invalid', 'directory/both-selections', {
      says: 'attributes and excludedAttributes cannot be used together',
      fix: 'send one of them',
      more: { scimType: 'invalidValue' },
    });
  const text = attributes ?? excluded;
  if (text === undefined || text.trim() === '') return undefined;
  const names: Names = new Map();
  for (const each of text.split(',')) {
    // A name that no resource has selects nothing; clients ask many servers with one list.
    for (const r of all) {
      let at = names;
      for (const a of findResourcePath(r, each.trim()) ?? []) {
        const next = at.get(a.name) ?? new Map<string, Names>();
        at.set(a.name, next);
        at = next;
      }
    }
  }
  return attributes === undefined ? { without: names } : { only: names };
}

/** Whether the answer has this attribute at all, so that what is not shown is not read either. */
export function selects(s: Selection, name: string): boolean {
  if (!s) return true;
  if ('only' in s) return s.only.has(name);
  return s.without.get(name)?.size !== 0;
}

/** The selected part of a resource; `id` and `schemas` are always there. */
export function selected(shown: Shown, s: Selection): Shown {
  if (!s) return shown;
  const part = 'only' in s ? pick(shown, s.only) : drop(shown, s.without);
  const { id, schemas } = shown;
  return { ...(isObject(part) ? part : {}), schemas, id };
}

function pick(v: unknown, names: Names, whole = false): unknown {
  if (whole) return v;
  if (Array.isArray(v)) return v.map((e: unknown) => pick(e, names));
  if (!isObject(v)) return v;
  return Object.fromEntries(
    Object.entries(v).flatMap(([k, inner]) => {
      const below = names.get(k);
      return below ? [[k, pick(inner, below, below.size === 0)]] : [];
    }),
  );
}

function drop(v: unknown, names: Names): unknown {
  if (Array.isArray(v)) return v.map((e: unknown) => drop(e, names));
  if (!isObject(v)) return v;
  return Object.fromEntries(
    Object.entries(v).flatMap(([k, inner]) => {
      const below = names.get(k);
      if (!below) return [[k, inner]];
      return below.size === 0 ? [] : [[k, drop(inner, below)]];
    }),
  );
}

/** Which parts of the elements of a list an answer shows, of those that there are. */
export function selectedParts<K extends string>(
  s: Selection,
  name: string,
  all: Readonly<Record<K, boolean>>,
): Record<K, boolean> {
  const made: Record<K, boolean> = { ...all };
  const below = s && ('only' in s ? s.only : s.without).get(name);
  if (s && below && below.size > 0) for (const part in made) made[part] = 'only' in s === below.has(part);
  return made;
}

/** A list that is shown whole, like those of discovery. */
export const shownList = (resources: readonly Shown[], total: number, startIndex: number): Shown => ({
  schemas: [listSchema],
  totalResults: total,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
});
