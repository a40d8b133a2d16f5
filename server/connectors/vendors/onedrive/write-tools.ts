import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { segment } from '../../kit/vendor-path.ts';
import { readAs, said } from '../microsoft/graph.ts';
import { DriveItem, itemLine, shownItem } from './item.ts';
import { FilePath, namesOf } from './path.ts';
import { driveArgument, itemAt, openDrive, openTarget, type OpenDrive } from './place.ts';
import { writes } from './scopes.ts';

const projection = [
  { kind: 'folder', at: '/drive' },
  { kind: 'path', at: '/path' },
] as const;

/**
 * The folder in which something new is to be, opened and so within the limits, and the new name. What is written goes below the folder's id, so
 * it lands in the folder that was looked at.
 */
async function openPlace(
  call: BuiltinCall,
  args: { drive?: string | undefined; path: string },
): Promise<{ drive: OpenDrive; folder: DriveItem; name: string }> {
  const names = namesOf(args.path);
  const name = names.at(-1);
  if (name === undefined)
    throw new Problem('invalid', 'connectors/onedrive-path', {
      says: 'the path is the root of the drive, and a name was expected in it',
      fix: 'give the path with the name of the new file or folder at its end',
    });
  const drive = await openDrive(call, args.drive);
  const folder = await openTarget(call, drive, { path: `/${names.slice(0, -1).join('/')}` });
  if (!folder.folder && folder.root === undefined)
    throw new Problem('invalid', 'connectors/onedrive-no-folder', {
      says: `${folder.name ?? 'what the path leads to'} is no folder`,
      fix: 'give the path of a folder that exists; create_folder makes one',
    });
  return { drive, folder, name };
}

export const createFolder = builtinTool({
  name: 'create_folder',
  title: 'Create a folder',
  description: 'Creates a folder in one that exists. It is an error if there is something of that name already.',
  input: z.strictObject({
    drive: driveArgument,
    path: FilePath.describe('Path of the new folder from the root of the drive'),
  }),
  class: 'write',
  projection,
  scopes: writes,
  brings: [],
  outward: false,
  async run(call, args) {
    const { drive, folder, name } = await openPlace(call, args);
    const answer = await call.vendor.send({
      method: 'POST',
      path: `/v1.0${itemAt(drive, folder)}/children`,
      json: { name, folder: {}, '@microsoft.graph.conflictBehavior': 'fail' },
    });
    return made('The folder was created.', answer.json(), drive);
  },
});

export const uploadFile = builtinTool({
  name: 'upload_file',
  title: 'Upload a file',
  description:
    'Writes a file into a folder that exists: text as UTF-8, or bytes in base64. One call takes at most about 1 MB. A file that is there already is replaced only with `replace`; SharePoint and OneDrive then keep the old version where versions are on.',
  input: z
    .strictObject({
      drive: driveArgument,
      path: FilePath.describe('Path of the file from the root of the drive, with its name at the end'),
      text: z.string().max(1_000_000).optional().describe('The content as text'),
      base64: z.base64().max(1_000_000).optional().describe('The content as bytes in base64'),
      mime_type: z
        .string()
        .regex(/^[a-z]+\/[A-Za-z0-9.+-]{1,100}$/)
        .optional()
        .describe('e.g. text/markdown'),
      replace: z.boolean().default(false).describe('Replace the file if there is one'),
    })
    .refine((a) => (a.text === undefined) !== (a.base64 === undefined), { error: 'give either text or base64' }),
  class: 'write',
  projection: [...projection, { kind: 'text', at: '/text' }],
  scopes: writes,
  brings: [],
  outward: false,
  async run(call, args) {
    const { drive, folder, name } = await openPlace(call, args);
    const answer = await call.vendor.send({
      method: 'PUT',
      // A name between two colons; it has none in itself.
      path: `/v1.0${itemAt(drive, folder)}:/${segment(name)}:/content`,
      query: { '@microsoft.graph.conflictBehavior': args.replace ? 'replace' : 'fail' },
      headers: {
        'content-type':
          args.mime_type ?? (args.text === undefined ? 'application/octet-stream' : 'text/plain; charset=utf-8'),
      },
      body: args.text === undefined ? Buffer.from(args.base64 ?? '', 'base64') : Buffer.from(args.text, 'utf8'),
    });
    return made(answer.status === 201 ? 'The file was written.' : 'The file was replaced.', answer.json(), drive);
  },
});

function made(what: string, value: unknown, drive: OpenDrive) {
  const item = shownItem(readAs(DriveItem, value), drive.id);
  return said([what, itemLine(item)], { item });
}
