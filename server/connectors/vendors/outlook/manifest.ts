import type { Manifest } from '../../kit/manifest.ts';
import { entraGrants } from '../microsoft/app-only.ts';
import { foreignToTenant, graphAccount, microsoftOAuth, microsoftOrigins } from '../microsoft/entra.ts';
import { graphError } from '../microsoft/graph.ts';
import { entraSecretEnds } from '../microsoft/secret-ends.ts';
import { blockTime, createEvent, listEvents } from './event-tools.ts';
import { getAttachment, readMessage, searchMessages } from './mail-tools.ts';
import { outlookScopes } from './scopes.ts';
import { createDraft, sendMessage } from './send-tools.ts';
import { OutlookSettings } from './settings.ts';

/** Mail and calendars in Exchange Online, by Microsoft Graph v1.0. */
export const outlook: Manifest = {
  type: 'outlook',
  name: 'Outlook',
  says: "Search and read mail, write drafts, send, and work with the calendar, in the person's own mailbox.",
  origins: microsoftOrigins,
  settings: OutlookSettings,
  oauth: microsoftOAuth(outlookScopes),
  // INVARIANT (the caller's own mailbox): an app reaches every mailbox that its role covers, so it only ever speaks for the caller.
  organization: entraGrants(['organization_as_person']),
  builtin: {
    version: '1',
    instructions:
      "All tools work in the mailbox and the calendar of the person for whom you act, and in nobody else's. Mail is sent as plain text.",
    tools: [searchMessages, readMessage, getAttachment, listEvents, createDraft, blockTime, sendMessage, createEvent],
  },
  readError: graphError,
  whoami: graphAccount,
  foreign: foreignToTenant,
  givenEnds: entraSecretEnds,
};
