import { z } from 'zod';
import type { VendorClient } from '../../kit/vendor-client.ts';
import { segment } from '../../kit/vendor-path.ts';
import { VendorRefusal } from '../../kit/vendor-refusal.ts';
import { oneLine } from '../../kit/one-line.ts';

/** What is asked of a file, always: what the tools show, and what tells where it lies. */
export const FILE_FIELDS =
  'id,name,mimeType,size,modifiedTime,createdTime,parents,driveId,webViewLink,trashed,shortcutDetails(targetId,targetMimeType),owners(emailAddress),lastModifyingUser(emailAddress),capabilities(canEdit,canShare,canDownload)';

const Person = z.looseObject({ emailAddress: z.string().optional() });
export const DriveFile = z.looseObject({
  id: z.string(),
  name: z.string().default(''),
  mimeType: z.string().default('application/octet-stream'),
  size: z.string().optional(),
  modifiedTime: z.string().optional(),
  createdTime: z.string().optional(),
  parents: z.array(z.string()).optional(),
  driveId: z.string().optional(),
  webViewLink: z.string().optional(),
  trashed: z.boolean().optional(),
  shortcutDetails: z.looseObject({ targetId: z.string(), targetMimeType: z.string().optional() }).optional(),
  owners: z.array(Person).optional(),
  lastModifyingUser: Person.optional(),
  capabilities: z
    .looseObject({
      canEdit: z.boolean().optional(),
      canShare: z.boolean().optional(),
      canDownload: z.boolean().optional(),
    })
    .optional(),
});
export type DriveFile = z.output<typeof DriveFile>;

export const FOLDER = 'application/vnd.google-apps.folder';
export const SHORTCUT = 'application/vnd.google-apps.shortcut';

/** Files that lie in shared drives are answered only to those who say that they know of them. */
export const everywhere = { supportsAllDrives: true } as const;

export async function getFile(vendor: VendorClient, id: string): Promise<DriveFile> {
  const answer = await vendor.send({
    method: 'GET',
    path: `/drive/v3/files/${segment(id)}`,
    query: { ...everywhere, fields: FILE_FIELDS },
  });
  return parsed(DriveFile, answer.json());
}

/** What Drive answered, in the form that its reference promises. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new VendorRefusal(200, 'unexpected_answer', 'Google Drive answers in a form that its reference does not have');
}

const kinds: Readonly<Record<string, string>> = {
  document: 'Google Docs document',
  spreadsheet: 'Google Sheets spreadsheet',
  presentation: 'Google Slides presentation',
  folder: 'folder',
  shortcut: 'shortcut',
  form: 'Google Forms form',
  drawing: 'Google drawing',
  site: 'Google site',
  script: 'Apps Script project',
};
export function kindName(mimeType: string): string {
  const google = /^application\/vnd\.google-apps\.(.+)$/.exec(mimeType)?.[1];
  return google === undefined ? mimeType : (kinds[google] ?? `Google ${google}`);
}

/** A file in one line. */
export function fileLine(f: DriveFile): string {
  const size = f.size === undefined ? '' : `, ${f.size} bytes`;
  const changed = f.modifiedTime === undefined ? '' : `, changed ${f.modifiedTime}`;
  return `${oneLine(f.name)} [${kindName(f.mimeType)}${size}${changed}] id: ${f.id}${f.trashed === true ? ' (in the bin)' : ''}`;
}

/** What machines get of a file. */
export const fileFacts = (f: DriveFile): Record<string, unknown> => ({
  id: f.id,
  name: f.name,
  mime_type: f.mimeType,
  size: f.size,
  modified: f.modifiedTime,
  parents: f.parents,
  shared_drive: f.driveId,
  link: f.webViewLink,
  shortcut_to: f.shortcutDetails?.targetId,
});
