import { z } from 'zod';
import { usage } from './exit.ts';

/** How one target differs from the RFC. Everything has a default that the RFC allows; the probe and the operator narrow it. */
export const Profile = z.strictObject({
  /** How a member is taken out. `auto` tries `rfc`, then `entraLegacy`, and looks whether it worked; never `replace`. */
  removeForm: z.enum(['auto', 'rfc', 'entraLegacy', 'replace']),
  /** PUT sends the whole resource, for targets without PATCH. */
  update: z.enum(['patch', 'put']),
  /** `capital`: Add, Remove, Replace. RFC 7644 has them in lower case. */
  opCase: z.enum(['lower', 'capital']),
  /** Most member changes in one request. */
  batch: z.int().min(1).max(10_000),
  /** Largest body of a request, in bytes. */
  maxBody: z.int().min(1_000),
  /** Most requests in that many seconds; null: as fast as it answers. */
  rate: z.strictObject({ requests: z.int().min(1), perSeconds: z.number().positive() }).nullable(),
  /** `userFilter`: the target never lists members, but finds the users of a group. */
  listMembersVia: z.enum(['group', 'userFilter']),
  /** Deleting is switching off: `active` false. An account that is off counts as gone. */
  softDelete: z.boolean(),
  /** Of what we send and ask for. */
  mediaType: z.enum(['application/scim+json', 'application/json']),
  /** How values stand in a filter; `none`: the target does not filter, so we list and look ourselves. */
  filter: z.enum(['quoted', 'unquoted', 'none']),
  paging: z.enum(['index', 'cursor']),
  pageSize: z.int().min(1).max(10_000),
  /** Whether versions are sent back as If-Match where we replace. */
  ifMatch: z.boolean(),
});
export type Profile = z.infer<typeof Profile>;

/** What an operator has decided; the rest is probed. */
export type ProfileWish = { [K in keyof Profile]?: Profile[K] | undefined };

/** What the RFC lets a client assume. */
export const rfc: Profile = {
  removeForm: 'auto',
  update: 'patch',
  opCase: 'lower',
  batch: 100,
  maxBody: 500_000,
  rate: null,
  listMembersVia: 'group',
  softDelete: false,
  mediaType: 'application/scim+json',
  filter: 'quoted',
  paging: 'index',
  pageSize: 100,
  ifMatch: true,
};

/** Targets whose documents or users say how they differ. */
export const presets: Readonly<Record<string, ProfileWish>> = {
  auto: {},
  rfc: { removeForm: 'rfc', update: 'patch', filter: 'quoted', paging: 'index' },
  gatehouse: { removeForm: 'rfc', update: 'patch', filter: 'quoted', batch: 1_000 },
  // At most 100 member changes in a request, and GET of a group never lists its members.
  'aws-identity-center': { removeForm: 'rfc', batch: 100, listMembersVia: 'userFilter' },
  // Groups are read 5 times in 30 seconds; a PATCH has at most 8,000 members and 800 kB.
  miro: { rate: { requests: 5, perSeconds: 30 }, batch: 8_000, maxBody: 800_000 },
  deel: { rate: { requests: 5, perSeconds: 1 } },
  // Filters are quoted JSON strings, `eq` and `sw` of one attribute.
  snowflake: { filter: 'quoted' },
  'entra-style': { removeForm: 'entraLegacy', opCase: 'capital' },
  'replace-only': { removeForm: 'replace' },
};

const Wish = z.strictObject({ like: z.string().optional(), ...Profile.partial().shape });

/** A preset's name, or the text of a profile file: any of the fields, and `like` with a preset to start from. */
export function parseProfile(name: string, text: string | undefined): ProfileWish {
  if (text === undefined) {
    const preset = presets[name];
    if (preset && Object.hasOwn(presets, name)) return preset;
    throw usage(
      `there is no profile "${name}"; there are ${Object.keys(presets).join(', ')}`,
      'name one of them, or a file that ends in .json',
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (e) {
    throw usage(`the profile ${name} is not JSON: ${e instanceof Error ? e.message : 'unreadable'}`);
  }
  const parsed = Wish.safeParse(json);
  if (!parsed.success) throw usage(`the profile ${name} cannot be used: ${z.prettifyError(parsed.error)}`);
  const { like, ...own } = parsed.data;
  return { ...(like === undefined ? {} : parseProfile(like, undefined)), ...own };
}

/** The profile in force. What the operator says wins over what the probe saw, which wins over the default. */
export function settleProfile(probed: ProfileWish, wish: ProfileWish): Profile {
  const said = (w: ProfileWish): ProfileWish =>
    Object.fromEntries(Object.entries(w).filter(([, v]) => v !== undefined));
  return Profile.parse({ ...rfc, ...said(probed), ...said(wish) });
}
