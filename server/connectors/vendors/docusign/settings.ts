import { z } from 'zod';
import type { Settings } from '#vault/vendor-auth.ts';

export const Guid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, 'expected a GUID')
  .transform((id) => id.toLowerCase());

export const DocusignSettings = z.strictObject({
  account_id: Guid.describe('"API Account ID" on the page "Apps and Keys" of your Docusign account'),
  site: z
    .string()
    .regex(/^(?:[a-z0-9-]+\.)?docusign\.net$/, 'expected the host of the Account Base URI, like na3.docusign.net')
    .describe('Host of the "Account Base URI" on the same page: na3.docusign.net, eu.docusign.net, demo.docusign.net'),
  login: z
    .enum(['account.docusign.com', 'account-d.docusign.com'])
    .default('account.docusign.com')
    .describe('Where people sign in: account.docusign.com, or account-d.docusign.com for a developer account (demo)'),
  recipient_domains: z
    .array(z.string().regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'expected a domain in lower case'))
    .max(50)
    .optional()
    .describe('Domains to whose addresses envelopes may be made out and sent. Left out: any'),
});
export type DocusignSettings = z.output<typeof DocusignSettings>;

export const docusignSettings = (settings: Settings): DocusignSettings => DocusignSettings.parse(settings);
