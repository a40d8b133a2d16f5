import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { scope } from '../google/google-auth.ts';
import { oneLine } from '../../kit/one-line.ts';
import { DriveFile, everywhere, FILE_FIELDS, fileFacts, fileLine, FOLDER, parsed } from './drive-api.ts';
import { driveLimits, fileWithin, type DriveLimits } from './drive-limits.ts';
import { DriveId, FolderId } from './settings.ts';
import { upload } from './upload.ts';

export const writing = [scope('drive.file'), scope('drive')];

/** Half a million characters are a long book, and what a model writes at once is less. */
const MAX_CONTENT_CHARS = 500_000;

/** Drive itself takes any name; what follows reads it as a path, so it must not be able to walk, hide or turn around. */
const Name = z
  .string()
  .min(1)
  .max(250)
  .refine((n) => n.trim() === n && n !== '.' && n !== '..', 'is no name')
  .refine((n) => !/[/\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(n), 'has slashes or characters that nobody sees')
  .describe('Name with its ending, without slashes');
const Content = z.string().max(MAX_CONTENT_CHARS).describe('The text, at most 500,000 characters');
const types = {
  plain: 'text/plain',
  markdown: 'text/markdown',
  html: 'text/html',
  csv: 'text/csv',
  json: 'application/json',
} as const;
const TextType = z.enum(['plain', 'markdown', 'html', 'csv', 'json']).describe('What the text is');

/** The folder into which something comes. A limited connector never writes where nobody said. */
async function folderWithin(
  call: BuiltinCall,
  limits: DriveLimits,
  id: string | undefined,
): Promise<string | undefined> {
  if (id === undefined) {
    if (limits.open) return undefined;
    throw new Problem('invalid', 'connectors/drive-folder-needed', {
      says: 'this connector reaches a part of Google Drive only, and no folder in it is named',
      fix: 'give folder_id, of a folder that search_files shows',
    });
  }
  const folder = await fileWithin(call.vendor, limits, id);
  if (folder.mimeType === FOLDER) return folder.id;
  throw new Problem('invalid', 'connectors/drive-no-folder', {
    says: `${oneLine(folder.name)} is no folder`,
    fix: 'give the id of a folder',
  });
}

export const createFileTool = builtinTool({
  name: 'create_file',
  title: 'Create a file',
  description:
    'Creates a file of text in Google Drive, or a Google document (as_google_doc: plain, markdown or html become a Docs document, csv a Sheets spreadsheet). Without folder_id it comes into My Drive of the account. Never replaces a file: two may have one name.',
  input: z.strictObject({
    name: Name,
    content: Content,
    type: TextType.default('plain'),
    folder_id: FolderId.optional().describe('Id of the folder into which it comes'),
    as_google_doc: z.boolean().default(false).describe('Whether Google turns it into a document of its own'),
  }),
  class: 'write',
  projection: [
    { kind: 'path', at: '/name' },
    { kind: 'folder', at: '/folder_id' },
    { kind: 'text', at: '/content' },
  ],
  scopes: writing,
  brings: [],
  outward: false,
  async run(call, args) {
    const limits = driveLimits(call);
    const folder = await folderWithin(call, limits, args.folder_id);
    if (args.as_google_doc && args.type === 'json')
      throw new Problem('invalid', 'connectors/drive-no-conversion', {
        says: 'Google makes no document out of JSON',
        fix: 'leave as_google_doc out, or give the content as plain, markdown, html or csv',
      });
    const converted = args.type === 'csv' ? 'spreadsheet' : 'document';
    const file = await upload(call.vendor, {
      metadata: {
        name: args.name,
        mimeType: args.as_google_doc ? `application/vnd.google-apps.${converted}` : types[args.type],
        ...(folder === undefined ? {} : { parents: [folder] }),
      },
      mimeType: types[args.type],
      bytes: Buffer.from(args.content),
    });
    return textAnswer([`Created: ${fileLine(file)}`, `link: ${file.webViewLink ?? 'none'}`], fileFacts(file));
  },
});

export const createFolderTool = builtinTool({
  name: 'create_folder',
  title: 'Create a folder',
  description: 'Creates a folder in Google Drive. Without folder_id it comes into My Drive of the account.',
  input: z.strictObject({
    name: Name,
    folder_id: FolderId.optional().describe('Id of the folder into which it comes'),
  }),
  class: 'write',
  projection: [
    { kind: 'path', at: '/name' },
    { kind: 'folder', at: '/folder_id' },
  ],
  scopes: writing,
  brings: [],
  outward: false,
  async run(call, args) {
    const folder = await folderWithin(call, driveLimits(call), args.folder_id);
    const answer = await call.vendor.send({
      method: 'POST',
      path: '/drive/v3/files',
      query: { ...everywhere, fields: FILE_FIELDS },
      json: { name: args.name, mimeType: FOLDER, ...(folder === undefined ? {} : { parents: [folder] }) },
    });
    const file = parsed(DriveFile, answer.json());
    return textAnswer([`Created: ${fileLine(file)}`], fileFacts(file));
  },
});

export const updateFileTool = builtinTool({
  name: 'update_file',
  title: 'Replace the text of a file',
  description:
    'Replaces the whole content of a file of Google Drive with a text. Google keeps the version before for 30 days. A Google Docs document or Sheets spreadsheet is replaced as a whole, with its formatting. Files that Gatehouse did not make can be changed only if an administrator has allowed it.',
  input: z.strictObject({
    file_id: DriveId.describe('Id of the file'),
    content: Content,
    type: TextType.default('plain'),
  }),
  class: 'write',
  projection: [
    { kind: 'path', at: '/file_id' },
    { kind: 'text', at: '/content' },
  ],
  scopes: writing,
  brings: [],
  outward: false,
  async run(call, args) {
    const limits = driveLimits(call);
    const file = await fileWithin(call.vendor, limits, args.file_id);
    if (/^application\/vnd\.google-apps\.(?!document$|spreadsheet$)/.test(file.mimeType))
      throw new Problem('unsupported', 'connectors/drive-no-text', {
        says: `${oneLine(file.name)} is nothing that a text can replace (${file.mimeType})`,
        fix: 'give the id of the file itself, or make a new file with create_file',
      });
    const changed = await upload(call.vendor, {
      id: file.id,
      metadata: {},
      mimeType: types[args.type],
      bytes: Buffer.from(args.content),
    });
    return textAnswer([`Replaced: ${fileLine(changed)}`], fileFacts(changed));
  },
});

export const moveFileTool = builtinTool({
  name: 'move_file',
  title: 'Move or rename a file',
  description:
    'Moves a file or folder of Google Drive into another folder, renames it, or both. Moving can change who has access: what lies in a folder is seen by those who see the folder.',
  input: z
    .strictObject({
      file_id: DriveId.describe('Id of the file or folder'),
      to_folder_id: FolderId.optional().describe('Id of the folder into which it comes'),
      new_name: Name.optional(),
    })
    .refine((a) => a.to_folder_id !== undefined || a.new_name !== undefined, 'to_folder_id or new_name is needed'),
  class: 'write',
  projection: [
    { kind: 'path', at: '/file_id' },
    { kind: 'path', at: '/new_name' },
    { kind: 'folder', at: '/to_folder_id' },
  ],
  scopes: writing,
  brings: [],
  outward: true,
  async run(call, args) {
    const limits = driveLimits(call);
    const file = await fileWithin(call.vendor, limits, args.file_id);
    const to = args.to_folder_id === undefined ? undefined : await folderWithin(call, limits, args.to_folder_id);
    const answer = await call.vendor.send({
      method: 'PATCH',
      path: `/drive/v3/files/${file.id}`,
      query: {
        ...everywhere,
        addParents: to,
        removeParents: to === undefined ? undefined : file.parents?.join(','),
        fields: FILE_FIELDS,
      },
      json: args.new_name === undefined ? {} : { name: args.new_name },
    });
    const moved = parsed(DriveFile, answer.json());
    return textAnswer(
      [`Now: ${fileLine(moved)}`, `in folder: ${moved.parents?.join(', ') ?? 'unknown'}`],
      fileFacts(moved),
    );
  },
});
