import { z } from 'zod';
import { oneLine } from '../../kit/one-line.ts';

const Reference = z.object({
  driveId: z.string().nullish(),
  driveType: z.string().nullish(),
  id: z.string().nullish(),
  siteId: z.string().nullish(),
  path: z.string().nullish(),
});
const By = z.object({ user: z.object({ displayName: z.string().nullish(), email: z.string().nullish() }).nullish() });

/** A file or folder as Graph gives it. */
export const DriveItem = z.object({
  id: z.string(),
  name: z.string().nullish(),
  size: z.number().nullish(),
  webUrl: z.string().nullish(),
  createdDateTime: z.string().nullish(),
  lastModifiedDateTime: z.string().nullish(),
  lastModifiedBy: By.nullish(),
  createdBy: By.nullish(),
  description: z.string().nullish(),
  eTag: z.string().nullish(),
  root: z.unknown().optional(),
  folder: z.object({ childCount: z.number().nullish() }).nullish(),
  file: z.object({ mimeType: z.string().nullish() }).nullish(),
  package: z.object({ type: z.string().nullish() }).nullish(),
  parentReference: Reference.nullish(),
  /** Stands in a drive and is in another: a folder that somebody shared. */
  remoteItem: z.object({ id: z.string(), parentReference: Reference.nullish() }).nullish(),
});
export type DriveItem = z.output<typeof DriveItem>;
export const DriveItems = z.object({ value: z.array(DriveItem), '@odata.nextLink': z.string().nullish() });

export const itemFields =
  'id,name,size,webUrl,createdDateTime,lastModifiedDateTime,lastModifiedBy,createdBy,description,eTag,root,folder,file,package,parentReference,remoteItem';

export type ShownItem = {
  drive: string | null;
  item: string;
  name: string;
  kind: 'file' | 'folder' | 'package' | 'link';
  path: string | null;
  size: number | null;
  mime_type: string | null;
  children: number | null;
  modified: string | null;
  modified_by: string | null;
  web_url: string | null;
  /** Where it really is, if it is a link to another drive. */
  leads_to: { drive: string | null; item: string } | null;
};

/** An item for a model: the ids with which it goes on, and what a person would look at. */
export function shownItem(i: DriveItem, drive?: string): ShownItem {
  return {
    drive: i.parentReference?.driveId ?? drive ?? null,
    item: i.id,
    name: i.name ?? '',
    kind: i.remoteItem ? 'link' : i.folder || i.root !== undefined ? 'folder' : i.package ? 'package' : 'file',
    path: pathOf(i) ?? null,
    size: i.size ?? null,
    mime_type: i.file?.mimeType ?? null,
    children: i.folder?.childCount ?? null,
    modified: i.lastModifiedDateTime ?? null,
    modified_by: i.lastModifiedBy?.user?.email ?? i.lastModifiedBy?.user?.displayName ?? null,
    web_url: i.webUrl ?? null,
    leads_to: i.remoteItem ? { drive: i.remoteItem.parentReference?.driveId ?? null, item: i.remoteItem.id } : null,
  };
}

/** `/drives/{id}/root:/Reports` and a name are `/Reports/june.docx`; undefined where Graph says no path. */
function pathOf(i: DriveItem): string | undefined {
  if (i.root !== undefined) return '/';
  const [, parent] = /root:(.*)$/s.exec(i.parentReference?.path ?? '') ?? [];
  if (parent === undefined || !i.name) return undefined;
  try {
    return `${decodeURIComponent(parent)}/${i.name}`;
  } catch {
    return `${parent}/${i.name}`;
  }
}

/** One line of a list. */
export function itemLine(s: ShownItem): string {
  const size = s.kind === 'folder' ? `${s.children ?? '?'} items` : s.size === null ? '' : `${s.size} bytes`;
  const by =
    s.modified === null ? '' : `, changed ${s.modified}${s.modified_by === null ? '' : ` by ${s.modified_by}`}`;
  const leads = s.leads_to ? `; really drive ${s.leads_to.drive ?? '?'} item ${s.leads_to.item}` : '';
  return oneLine(`- ${s.kind} ${s.path ?? s.name} (${size}${by}; drive ${s.drive ?? '?'} item ${s.item}${leads})`);
}
