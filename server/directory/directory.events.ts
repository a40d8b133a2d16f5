import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string().max(60);
const count = z.number().int().nonnegative();
/** Ids of people in one event; `count` is exact, the list ends here so that one event stays small. */
export const MAX_LISTED = 100;
const ids = z.array(id).max(MAX_LISTED);
const names = z.array(z.string().max(200)).max(60);
const people = (n: number): string => (n === 1 ? '1 person' : `${n} people`);

/** What the directory room says in the log. `entry` is the directory's scim_user, `user` the account it stands for, if any. */
export const directoryEvents = {
  'directory.created': declare({
    data: z.object({ directory: id }),
    says: (d) => `connected the directory ${d.directory}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.changed': declare({
    data: z.object({ directory: id, settings: names }),
    says: (d) => `changed ${d.settings.join(', ')} of the directory ${d.directory}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.paused': declare({
    data: z.object({ directory: id }),
    says: (d) => `paused the directory ${d.directory}: what it sends is refused`,
    ocsf: 5019,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.resumed': declare({
    data: z.object({ directory: id }),
    says: (d) => `resumed the directory ${d.directory}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.client_created': declare({
    data: z.object({ directory: id, client: id, expires: z.string() }),
    says: (d) => `made the OAuth client ${d.client} for the directory ${d.directory}, until ${d.expires}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.client_revoked': declare({
    data: z.object({ directory: id, client: id }),
    says: (d) =>
      `revoked the OAuth client ${d.client} of the directory ${d.directory}, and with it every token that it got`,
    ocsf: 5019,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.client_token_issued': declare({
    data: z.object({ directory: id, client: id, token: id }),
    says: (d) => `gave the OAuth client ${d.client} the token ${d.token} of the directory ${d.directory}`,
    ocsf: 3002,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.journal_read': declare({
    data: z.object({ directory: id, entry: id.nullable(), filter: z.string().max(300).nullable() }),
    says: (d) =>
      `read ${d.entry ? `the entry ${d.entry}` : 'the journal'} of the directory ${d.directory}${d.filter ? ` (${d.filter})` : ''}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.journal_rehearsed': declare({
    data: z.object({ directory: id, entry: id }),
    says: (d) => `replayed the entry ${d.entry} of the directory ${d.directory} without any effect`,
    ocsf: 6003,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.user_adopted': declare({
    data: z.object({ directory: id, entry: id, user: id, by: z.enum(['external_id', 'email']) }),
    says: (d) =>
      `put the account ${d.user} under the directory ${d.directory}, whose entry ${d.entry} has the same ${d.by === 'email' ? 'e-mail address' : 'external id'}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'directory.token_created': declare({
    data: z.object({ directory: id, token: id, expires: z.string() }),
    says: (d) => `made the token ${d.token} for the directory ${d.directory}, until ${d.expires}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.token_revoked': declare({
    data: z.object({ directory: id, token: id }),
    says: (d) => `revoked the token ${d.token} of the directory ${d.directory}`,
    ocsf: 5019,
    about: (d) => ({ resource: d.directory }),
  }),
  'directory.user_added': declare({
    data: z.object({
      directory: id,
      entry: id,
      user: id.nullable(),
      active: z.boolean(),
      link: z.enum(['created', 'returned', 'local_user', 'address_in_use', 'no_address', 'domain_held']),
    }),
    says: (d) =>
      ({
        created: `added ${d.entry} and made the account ${d.user} for it`,
        returned: `added ${d.entry}, whose account ${d.user} was known before`,
        local_user: `added ${d.entry}, whose address belongs to a local account; that account was not touched and is linked when its owner signs in`,
        address_in_use: `added ${d.entry}, whose address another entry's account has; it has no account`,
        no_address: `added ${d.entry}, which has no e-mail address; it has no account until it has one`,
        domain_held: `added ${d.entry}, whose address is in none of the directory's domains; it has no account until that changes`,
      })[d.link],
    ocsf: 3001,
    about: (d) => ({ resource: d.entry }),
  }),
  'directory.user_linked': declare({
    data: z.object({ directory: id, entry: id, user: id }),
    says: (d) => `made the account ${d.user} for ${d.entry}, which has an address now`,
    ocsf: 3001,
    about: (d) => ({ resource: d.entry }),
  }),
  'directory.user_changed': declare({
    data: z.object({ directory: id, entry: id, user: id.nullable(), attributes: names, version: count }),
    says: (d) => `changed ${d.attributes.join(', ')} of ${d.entry}`,
    ocsf: 3001,
    about: (d) => ({ resource: d.entry }),
  }),
  'directory.user_deactivated': declare({
    data: z.object({ directory: id, entry: id, user: id, changed: z.boolean() }),
    says: (d) =>
      d.changed
        ? `suspended the account ${d.user}: every access of it ends now`
        : `asked to suspend the account ${d.user}, which was suspended already`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'directory.user_reactivated': declare({
    data: z.object({ directory: id, entry: id, user: id, changed: z.boolean() }),
    says: (d) =>
      d.changed
        ? `ended the suspension of the account ${d.user}`
        : `asked to end the suspension of the account ${d.user}; somebody else had suspended it, so it stays`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'directory.address_kept': declare({
    data: z.object({
      directory: id,
      entry: id,
      user: id,
      because: z.enum(['address_in_use', 'no_address', 'domain_held']),
    }),
    says: (d) =>
      `left the account ${d.user} its address, because ${
        {
          no_address: `${d.entry} has none`,
          address_in_use: 'another account has the new one',
          domain_held: "the new one is in none of the directory's domains",
        }[d.because]
      }`,
    ocsf: 3001,
    about: (d) => ({ resource: d.user }),
  }),
  'directory.user_removed': declare({
    data: z.object({ directory: id, entry: id, user: id.nullable(), groups: count }),
    says: (d) => `removed ${d.entry} from the directory and from ${d.groups} groups`,
    ocsf: 3001,
    about: (d) => ({ resource: d.entry }),
  }),
  'directory.group_added': declare({
    data: z.object({ directory: id, group: id, members: count }),
    says: (d) => `added the group ${d.group} with ${people(d.members)}`,
    ocsf: 3006,
    about: (d) => ({ resource: d.group }),
  }),
  'directory.group_changed': declare({
    data: z.object({ directory: id, group: id, attributes: names }),
    says: (d) => `changed ${d.attributes.join(', ')} of the group ${d.group}`,
    ocsf: 3006,
    about: (d) => ({ resource: d.group }),
  }),
  'directory.members_changed': declare({
    data: z.object({
      directory: id,
      group: id,
      added: z.object({ count, entries: ids }),
      removed: z.object({ count, entries: ids }),
      /** Whether the request named all members (a replacement) or only those that changed. */
      whole: z.boolean(),
    }),
    says: (d) =>
      `added ${people(d.added.count)} to the group ${d.group} and removed ${people(d.removed.count)}${d.whole ? ', by replacing the whole list' : ''}`,
    ocsf: 3006,
    about: (d) => ({ resource: d.group }),
  }),
  'directory.group_removed': declare({
    data: z.object({ directory: id, group: id, members: count }),
    says: (d) => `removed the group ${d.group}, which had ${people(d.members)}`,
    ocsf: 3006,
    about: (d) => ({ resource: d.group }),
  }),
} as const;
