import type { Manifest } from '../../kit/manifest.ts';
import { entraGrants } from '../microsoft/app-only.ts';
import { foreignToTenant, graphAccount, microsoftOAuth, microsoftOrigins } from '../microsoft/entra.ts';
import { graphError } from '../microsoft/graph.ts';
import { entraSecretEnds } from '../microsoft/secret-ends.ts';
import { listChildren, listDrives, listSites } from './list-tools.ts';
import { getItem, listPermissions, readFile } from './read-tools.ts';
import { oneDriveScopes } from './scopes.ts';
import { searchFiles } from './search-tool.ts';
import { OneDriveSettings } from './settings.ts';
import { createLink, shareItem } from './share-tools.ts';
import { createFolder, uploadFile } from './write-tools.ts';

/** Files in OneDrive and SharePoint, by Microsoft Graph v1.0. */
export const oneDrive: Manifest = {
  type: 'onedrive',
  name: 'OneDrive and SharePoint',
  says: 'Find, read, write and share files in OneDrive for work and in SharePoint sites.',
  origins: microsoftOrigins,
  settings: OneDriveSettings,
  oauth: microsoftOAuth(oneDriveScopes),
  organization: entraGrants(['organization', 'organization_as_person']),
  builtin: {
    version: '1',
    instructions:
      'A drive is a document library: everybody has one of their own (OneDrive), and each SharePoint site has some. Items are named by drive and id, or by drive and path; ids from answers are the surest.',
    tools: [
      searchFiles,
      listSites,
      listDrives,
      listChildren,
      getItem,
      readFile,
      listPermissions,
      createFolder,
      uploadFile,
      shareItem,
      createLink,
    ],
  },
  readError: graphError,
  whoami: graphAccount,
  foreign: foreignToTenant,
  givenEnds: entraSecretEnds,
};
