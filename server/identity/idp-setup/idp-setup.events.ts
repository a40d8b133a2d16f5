import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { protocols, tasks } from './link.ts';

const id = z.string().max(40);
const about = (d: { link: string }) => ({ resource: d.link });

/** What the parent's log tells about set-up links. What is made through one has the link as its actor. */
export const idpSetupEvents = {
  'idp_setup.link_created': declare({
    data: z.object({
      link: id,
      org: id,
      tasks: z.array(z.enum(tasks)),
      activates: z.boolean(),
      expires: z.iso.datetime(),
    }),
    says: (d) => `made a set-up link for ${d.tasks.join(', ')}, until ${d.expires}`,
    ocsf: 5019,
    about,
  }),
  'idp_setup.link_revoked': declare({
    data: z.object({ link: id }),
    says: (d) => `took back the set-up link ${d.link}`,
    ocsf: 5019,
    about,
  }),
  'idp_setup.link_opened': declare({
    data: z.object({ link: id }),
    says: (d) => `opened the set-up link ${d.link} for the first time`,
    ocsf: 5019,
    about,
  }),
  'idp_setup.provider_chosen': declare({
    data: z.object({ link: id, provider: z.string().max(40), protocol: z.enum(protocols).nullable() }),
    says: (d) => `chose ${d.provider}${d.protocol ? ` over ${d.protocol}` : ''} at the set-up link ${d.link}`,
    ocsf: 5019,
    about,
  }),
  'idp_setup.connection_made': declare({
    data: z.object({ link: id, connection: id, active: z.boolean() }),
    says: (d) =>
      `connected ${d.connection} through the set-up link ${d.link}${d.active ? '' : '; it waits to be switched on'}`,
    ocsf: 5019,
    about,
  }),
  'idp_setup.connection_dropped': declare({
    data: z.object({ link: id, connection: id }),
    says: (d) => `began again at the set-up link ${d.link}; ${d.connection} is switched off`,
    ocsf: 5019,
    about,
  }),
  'idp_setup.directory_made': declare({
    data: z.object({ link: id, directory: id }),
    says: (d) => `made the directory ${d.directory} through the set-up link ${d.link}`,
    ocsf: 5019,
    about,
  }),
  'idp_setup.domain_added': declare({
    data: z.object({ link: id, domain: id }),
    says: (d) => `added the domain ${d.domain} through the set-up link ${d.link}`,
    ocsf: 5019,
    about,
  }),
} as const;
