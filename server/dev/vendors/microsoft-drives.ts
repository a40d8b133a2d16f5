// Drives and items of the stand-in as Graph shows them, and who may come in.
import { GraphSays, picked, type GraphCall } from './microsoft-graph.ts';
import { TENANT, type MsApp, type MsDrive, type MsItem } from './microsoft-world.ts';

export const READ = [
  'Files.Read.All',
  'Files.ReadWrite.All',
  'Sites.Read.All',
  'Sites.ReadWrite.All',
  'Files.Read',
  'Files.ReadWrite',
];
export const WRITE = ['Files.ReadWrite.All', 'Sites.ReadWrite.All', 'Files.ReadWrite'];
export const APP_READ = [
  'Files.Read.All',
  'Files.ReadWrite.All',
  'Sites.Read.All',
  'Sites.ReadWrite.All',
  'Sites.Selected',
];
export const APP_WRITE = ['Files.ReadWrite.All', 'Sites.ReadWrite.All', 'Sites.Selected'];

const itemFields = [
  'id name size webUrl createdDateTime lastModifiedDateTime lastModifiedBy createdBy description',
  'eTag cTag root folder file package parentReference remoteItem sharepointIds',
].flatMap((line) => line.split(' '));
export const driveFields = ['id', 'name', 'driveType', 'webUrl', 'sharePointIds', 'owner', 'quota', 'description'];
export const siteFields = ['id', 'displayName', 'name', 'webUrl', 'description', 'siteCollection'];

export const notFound = (): GraphSays => new GraphSays(404, 'itemNotFound', 'The resource could not be found.');
export const denied = (): GraphSays => new GraphSays(403, 'accessDenied', 'Access denied');

export type Downloads = Map<string, MsItem>;

/** What a token may do in a drive as a whole; a person may also come in by an item that was shared. */
export function reach(c: GraphCall, drive: MsDrive, write: boolean): boolean {
  const { token } = c;
  if (token.kind === 'app') {
    if ((write ? APP_WRITE : APP_READ).some((p) => p !== 'Sites.Selected' && token.app.roles.has(p))) return true;
    const grant = 'site' in drive.owner ? grantOf(token.app, drive.owner.site) : undefined;
    return token.app.roles.has('Sites.Selected') && (write ? grant === 'write' : grant !== undefined);
  }
  const { owner } = drive;
  if ('user' in owner) return owner.user === token.user.mail;
  return c.world.sites.some((s) => s.id === owner.site && s.members.includes(token.user.mail));
}

/** Sites.Selected is granted to a site collection, and what is below it is in it. */
export const grantOf = (app: MsApp, site: string): 'read' | 'write' | undefined =>
  [...app.siteGrants].find(([s]) => s.split(',')[1] === site.split(',')[1])?.[1];

export function mayItem(c: GraphCall, drive: MsDrive, item: MsItem, write: boolean): boolean {
  if (reach(c, drive, write)) return true;
  if (c.token.kind === 'app') return false;
  const { mail } = c.token.user;
  for (let i: MsItem | undefined = item; i; i = c.world.items.find((x) => x.id === i?.parent))
    if (i.shared.some((s) => s.who === mail && (!write || s.roles.includes('write')))) return true;
  return false;
}

export function driveOf(c: GraphCall, id: string): MsDrive {
  const drive = c.world.drives.find((d) => d.id === decodeURIComponent(id));
  const owner = drive && 'user' in drive.owner ? drive.owner.user : undefined;
  // Another tenant's drive is not there.
  if (!drive || c.world.users.some((u) => u.mail === owner && u.tenant !== TENANT)) throw notFound();
  return drive;
}

const pathIn = (c: GraphCall, item: MsItem): string => {
  const names: string[] = [];
  for (let i = c.world.items.find((x) => x.id === item.parent); i?.parent !== undefined;) {
    names.unshift(encodeURIComponent(i.name));
    const up: string = i.parent;
    i = c.world.items.find((x) => x.id === up);
  }
  return `/drives/${item.drive}/root:${names.length > 0 ? `/${names.join('/')}` : ''}`;
};

export function shownItem(c: GraphCall, i: MsItem): Record<string, unknown> {
  const drive = c.world.drives.find((d) => d.id === i.drive);
  const site = drive && 'site' in drive.owner ? drive.owner.site : undefined;
  const children = c.world.items.filter((x) => x.parent === i.id).length;
  const driveType = site === undefined ? 'business' : 'documentLibrary';
  return {
    id: i.id,
    name: i.name,
    size: i.bytes.length,
    webUrl: `https://acme.sharepoint.example/${i.drive}/${encodeURIComponent(i.name)}`,
    createdDateTime: '2026-01-01T00:00:00Z',
    lastModifiedDateTime: i.modified,
    lastModifiedBy: { user: { email: i.by, displayName: i.by } },
    createdBy: { user: { email: i.by, displayName: i.by } },
    eTag: `"{${i.id}},1"`,
    root: i.parent === undefined ? {} : undefined,
    folder: i.folder && !i.remote && !i.package ? { childCount: children } : undefined,
    file: !i.folder ? { mimeType: i.mime } : undefined,
    package: i.package === undefined ? undefined : { type: i.package },
    remoteItem: i.remote && { id: i.remote.item, parentReference: { driveId: i.remote.drive, driveType: 'business' } },
    parentReference:
      i.parent === undefined
        ? { driveId: i.drive, driveType }
        : {
            driveId: i.drive,
            driveType,
            id: i.parent,
            path: pathIn(c, i),
            ...(site === undefined ? {} : { siteId: site }),
          },
  };
}

export const item = (c: GraphCall, i: MsItem): Record<string, unknown> => picked(c, shownItem(c, i), itemFields);

/** Where somebody's OneDrive is. */
const PERSONAL_SITE = 'x,99999999-9999-4999-8999-999999999999,89999999-9999-4999-8999-999999999999';

export function shownDrive(d: MsDrive): Record<string, unknown> {
  const site = 'site' in d.owner ? d.owner.site : undefined;
  return {
    id: d.id,
    name: d.name,
    driveType: site === undefined ? 'business' : 'documentLibrary',
    webUrl: `https://acme.sharepoint.example/${d.id}`,
    owner: 'user' in d.owner ? { user: { email: d.owner.user } } : { group: { displayName: 'Site' } },
    sharePointIds: {
      siteId: (site ?? PERSONAL_SITE).split(',')[1],
      webId: (site ?? PERSONAL_SITE).split(',')[2],
      siteUrl: 'https://acme.sharepoint.example',
      tenantId: TENANT,
    },
  };
}

/** Names that SharePoint does not take. */
export function checkName(name: unknown): string {
  if (typeof name !== 'string' || name === '' || /["*:<>?/\\|]/.test(name) || /^(\.+|\s.*|.*\s|~\$.*)$/.test(name))
    throw new GraphSays(
      400,
      'invalidRequest',
      'The provided name cannot contain any of the restricted characters or be reserved.',
    );
  return name;
}
