import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { oneLine } from '../../kit/one-line.ts';
import { segment } from '../../kit/vendor-path.ts';
import { atCursor, Cursor, cursorOf, getGraph, moreLine, ownRoot, said } from '../microsoft/graph.ts';
import { DriveItem, DriveItems, itemFields, itemLine, shownItem } from './item.ts';
import {
  confined,
  Drive,
  driveArgument,
  driveFields,
  isListed,
  itemArgument,
  itemAt,
  limitsOf,
  openDrive,
  openTarget,
  unlessClosed,
  outside,
  pathArgument,
} from './place.ts';
import { reads } from './scopes.ts';
import { SiteId, type OneDriveSettings } from './settings.ts';

const Site = z.object({
  id: z.string(),
  displayName: z.string().nullish(),
  name: z.string().nullish(),
  webUrl: z.string().nullish(),
});
const Sites = z.object({ value: z.array(Site), '@odata.nextLink': z.string().nullish() });
const siteFields = 'id,displayName,name,webUrl';
type Site = z.output<typeof Site>;

export const listSites = builtinTool({
  name: 'list_sites',
  title: 'List SharePoint sites',
  description:
    'Lists SharePoint sites: those whose name or description has the words of `query`, or without one those that the person follows. Gives site ids for list_drives.',
  input: z.strictObject({
    query: z.string().min(1).max(200).optional().describe('Words in the name of the site'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [{ kind: 'text', at: '/query' }],
  scopes: ['Sites.Read.All', 'Sites.ReadWrite.All'],
  brings: ['private'],
  outward: false,
  async run(call, args) {
    const { sites: listed } = limitsOf(call);
    const { found, cursor } =
      listed && (args.query === undefined || call.actAs !== 'person')
        ? { found: await eachSite(call, listed, args.query), cursor: undefined }
        : await sitesByWords(call, args.query, args.cursor);
    const sites = found.filter((s) => listed === undefined || listed.includes(s.id.toLowerCase()));
    const shown = sites.map((s) => ({
      site: s.id.toLowerCase(),
      name: s.displayName ?? s.name ?? '',
      web_url: s.webUrl ?? null,
    }));
    return said(
      [
        shown.length === 0 ? 'No sites.' : undefined,
        ...shown.map((s) => oneLine(`- ${s.name} (${s.web_url ?? ''}; site ${s.site})`)),
        moreLine(cursor),
      ],
      { sites: shown, ...(cursor === undefined ? {} : { cursor }) },
    );
  },
});

/**
 * An app with Sites.Selected can list nothing, so what the settings name is asked for one by one. One that was not granted yet hides no other.
 */
async function eachSite(call: BuiltinCall, ids: readonly string[], query: string | undefined): Promise<Site[]> {
  const words = query?.toLowerCase() ?? '';
  const all: Site[] = [];
  for (const id of ids) {
    const site = await unlessClosed(() => getGraph(call, Site, `/sites/${segment(id)}`, { $select: siteFields }));
    if (site && `${site.displayName ?? ''} ${site.name ?? ''}`.toLowerCase().includes(words)) all.push(site);
  }
  return all;
}

async function sitesByWords(
  call: BuiltinCall,
  query: string | undefined,
  cursor: string | undefined,
): Promise<{ found: Site[]; cursor: string | undefined }> {
  if (call.actAs === 'organization_as_person') throw outside();
  const list =
    query === undefined && call.actAs === 'person'
      ? await getGraph(call, Sites, '/me/followedSites', { $select: siteFields, ...atCursor(cursor) })
      : await getGraph(call, Sites, '/sites', {
          search: query ?? '*',
          $select: siteFields,
          $top: 50,
          ...atCursor(cursor),
        });
  return { found: list.value, cursor: cursorOf(list) };
}

const Drives = z.object({ value: z.array(Drive), '@odata.nextLink': z.string().nullish() });

export const listDrives = builtinTool({
  name: 'list_drives',
  title: 'List drives',
  description:
    'Lists the drives (document libraries) of a SharePoint site, or without one those of the person and those that the connector is confined to. Gives drive ids for the other tools.',
  input: z.strictObject({
    site: SiteId.optional().describe('Id of the site, as list_sites shows it'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [{ kind: 'folder', at: '/site' }],
  scopes: reads,
  brings: ['private'],
  outward: false,
  async run(call, args) {
    const limits = limitsOf(call);
    const { site, cursor } = args;
    if (site === undefined) return drivesOfNoSite(call, limits, cursor);
    if (call.actAs === 'organization_as_person' && !confined(limits)) throw outside();
    const list = await getGraph(call, Drives, `/sites/${segment(site)}/drives`, {
      $select: driveFields,
      ...atCursor(cursor),
    });
    const reachable = list.value.filter((d) => !confined(limits) || isListed(limits, d) || hasFolder(limits, d));
    return shownDrives(reachable, cursorOf(list));
  },
});

const hasFolder = (l: OneDriveSettings, d: { id: string }): boolean =>
  l.folders?.some((f) => f.drive === d.id) === true;

/** The caller's own drives, where there is a caller and they are open, and those that the settings name. */
async function drivesOfNoSite(call: BuiltinCall, limits: OneDriveSettings, cursor: string | undefined) {
  const own =
    call.actAs === 'organization' || (confined(limits) && !limits.own_drive)
      ? { value: [] }
      : await getGraph(call, Drives, `${ownRoot(call)}/drives`, { $select: driveFields, ...atCursor(cursor) });
  const drives = [...own.value];
  const named = new Set([...(limits.drives ?? []), ...(limits.folders ?? []).map((f) => f.drive)]);
  if (call.actAs === 'organization' && named.size === 0)
    throw new Problem('invalid', 'connectors/onedrive-no-drive', {
      says: 'this connector acts as the organization, which has no drives of its own',
      fix: 'name a site: list_sites shows those that can be reached',
    });
  if (cursor === undefined)
    for (const id of named) {
      const at = `/drives/${segment(id)}`;
      const drive = await unlessClosed(() => getGraph(call, Drive, at, { $select: driveFields }));
      if (drive && !drives.some((d) => d.id === drive.id)) drives.push(drive);
    }
  return shownDrives(drives, cursorOf(own));
}

function shownDrives(drives: readonly z.output<typeof Drive>[], cursor: string | undefined) {
  const shown = drives.map((d) => ({
    drive: d.id,
    name: d.name ?? '',
    kind: d.driveType ?? null,
    web_url: d.webUrl ?? null,
  }));
  return said(
    [
      shown.length === 0 ? 'No drives that this connector may reach.' : undefined,
      ...shown.map((d) => oneLine(`- ${d.name} (${d.kind ?? ''}, ${d.web_url ?? ''}; drive ${d.drive})`)),
      moreLine(cursor),
    ],
    { drives: shown, ...(cursor === undefined ? {} : { cursor }) },
  );
}

/** Items of one page of a folder. */
const PAGE = 100;

export const listChildren = builtinTool({
  name: 'list_children',
  title: 'List a folder',
  description: `Lists what is in a folder, by id or by path; with neither, the root of the drive. At most ${PAGE} items, then a cursor.`,
  input: z.strictObject({ drive: driveArgument, item: itemArgument, path: pathArgument, cursor: Cursor }),
  class: 'read',
  projection: [
    { kind: 'folder', at: '/drive' },
    { kind: 'path', at: '/path' },
    { kind: 'path', at: '/item' },
  ],
  scopes: reads,
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, args) {
    const drive = await openDrive(call, args.drive);
    // Of a drive that is open only in some folders, the root shows those.
    if (drive.within && args.item === undefined && args.path === undefined) {
      const folders: DriveItem[] = [];
      for (const id of drive.within)
        folders.push(await getGraph(call, DriveItem, itemAt(drive, { id }), { $select: itemFields }));
      return listed(drive.id, folders, undefined);
    }
    const folder = await openTarget(call, drive, args);
    const list = await getGraph(call, DriveItems, `${itemAt(drive, folder)}/children`, {
      $select: itemFields,
      $top: PAGE,
      ...atCursor(args.cursor),
    });
    return listed(drive.id, list.value, cursorOf(list));
  },
});

function listed(drive: string, items: readonly DriveItem[], cursor: string | undefined) {
  const shown = items.map((i) => shownItem(i, drive));
  return said([shown.length === 0 ? 'Nothing is in it.' : undefined, ...shown.map(itemLine), moreLine(cursor)], {
    items: shown,
    ...(cursor === undefined ? {} : { cursor }),
  });
}
