import { z } from 'zod';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import type { VendorRequest } from '../../kit/vendor-client.ts';
import { scope } from '../google/google-auth.ts';
import { oneLine } from '../../kit/one-line.ts';
import { DriveFile, everywhere, FILE_FIELDS, fileFacts, fileLine, parsed } from './drive-api.ts';
import { driveLimits, fileWithin } from './drive-limits.ts';
import { driveQuery } from './drive-query.ts';
import { DriveId, FolderId } from './settings.ts';

export const reading = [scope('drive.readonly'), scope('drive')];

const Moment = z.iso.datetime({ offset: true }).describe('A moment in RFC 3339, e.g. 2026-11-01T00:00:00Z');
const Cursor = z.string().min(1).max(4000).describe('next_cursor of the page before');

/** Pages of 100 that one search of a limited connector looks through. */
const MAX_PAGES = 5;

const Files = z.looseObject({
  files: z.array(DriveFile).default([]),
  nextPageToken: z.string().optional(),
  incompleteSearch: z.boolean().optional(),
});

export const searchFilesTool = builtinTool({
  name: 'search_files',
  title: 'Search files',
  description:
    'Searches Google Drive: by words in name and content (query), by a part of the name, by type, folder, shared drive and time of change. All that is given must fit. Files in the bin are left out. Gives ids for the other tools. At most 100 files a page; next_cursor gives more.',
  input: z.strictObject({
    query: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe('Words in the name or content of the file. Plain words, no operators.'),
    name_contains: z.string().min(1).max(200).optional().describe('Beginning of a word of the name'),
    mime_type: z
      .string()
      .regex(/^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i)
      .max(150)
      .optional()
      .describe('Exact type, e.g. application/pdf or application/vnd.google-apps.document'),
    folder_id: FolderId.optional().describe('Id of a folder, or root for My Drive: what lies directly in it'),
    shared_drive_id: DriveId.optional().describe('Id of a shared drive, from list_shared_drives'),
    modified_after: Moment.optional(),
    modified_before: Moment.optional(),
    owned_by_me: z.boolean().optional().describe('Only files that the account owns'),
    page_size: z
      .int()
      .min(1)
      .max(100)
      .default(25)
      .describe('Files per page, 1 to 100; a connector that is limited to folders may give more'),
    cursor: Cursor.optional(),
  }),
  class: 'read',
  projection: [
    { kind: 'text', at: '/query' },
    { kind: 'folder', at: '/folder_id' },
    { kind: 'folder', at: '/shared_drive_id' },
  ],
  scopes: reading,
  brings: ['private', 'untrusted'],
  outward: false,
  async run(call, args) {
    const limits = driveLimits(call);
    const folder = args.folder_id === undefined ? undefined : await fileWithin(call.vendor, limits, args.folder_id);
    const only = limits.folders.length === 0 && limits.sharedDrives.length === 1 ? limits.sharedDrives[0] : undefined;
    const drive = args.shared_drive_id ?? only;
    const query: VendorRequest['query'] = {
      ...everywhere,
      includeItemsFromAllDrives: true,
      corpora: drive === undefined ? 'allDrives' : 'drive',
      driveId: drive,
      q: driveQuery({
        text: args.query,
        nameContains: args.name_contains,
        mimeType: args.mime_type,
        folder: folder?.id,
        modifiedAfter: args.modified_after,
        modifiedBefore: args.modified_before,
        ownedByMe: args.owned_by_me,
      }),
      // Drive sorts searches for words by how well they fit, and refuses any other order.
      orderBy: args.query === undefined ? 'modifiedTime desc' : undefined,
      pageSize: limits.open ? args.page_size : 100,
      fields: `nextPageToken,incompleteSearch,files(${FILE_FIELDS})`,
    };
    const files: DriveFile[] = [];
    let cursor = args.cursor;
    let incomplete = false;
    // What lies outside must not be heard of, not even by how many pages it fills: a limited search goes on until it has something to show.
    for (
      let pages = 0;
      files.length === 0 && pages < (limits.open ? 1 : MAX_PAGES) && (pages === 0 || cursor);
      pages++
    ) {
      const answer = await call.vendor.send({
        method: 'GET',
        path: '/drive/v3/files',
        query: { ...query, pageToken: cursor },
      });
      const page = parsed(Files, answer.json());
      for (const f of page.files) if (await limits.holds(f)) files.push(f);
      cursor = page.nextPageToken;
      incomplete ||= page.incompleteSearch === true;
    }
    return textAnswer(
      [
        ...(files.length === 0 ? ['No file fits on this page.'] : files.map(fileLine)),
        ...(incomplete ? ['(Google did not search all drives; name a shared drive or folder)'] : []),
        ...(cursor === undefined ? [] : ['(more with next_cursor)']),
      ],
      { files: files.map(fileFacts), next_cursor: cursor },
      { ask: 'ask with a smaller page_size' },
    );
  },
});

export const getMetadataTool = builtinTool({
  name: 'get_metadata',
  title: 'Look at a file',
  description:
    'Shows what a file of Google Drive is: name, type, size, times, folder, owner, last editor, link, and what the account may do with it. Not its content.',
  input: z.strictObject({ file_id: DriveId.describe('Id of the file') }),
  class: 'read',
  projection: [{ kind: 'path', at: '/file_id' }],
  scopes: reading,
  brings: ['private', 'untrusted'],
  outward: false,
  async run(call, { file_id }) {
    const f = await fileWithin(call.vendor, driveLimits(call), file_id);
    const rights = Object.entries({
      edit: f.capabilities?.canEdit,
      share: f.capabilities?.canShare,
      download: f.capabilities?.canDownload,
    });
    return textAnswer(
      [
        fileLine(f),
        `created: ${f.createdTime ?? 'unknown'}`,
        `owner: ${f.owners?.map((o) => o.emailAddress ?? 'unknown').join(', ') ?? 'a shared drive'}`,
        `last changed by: ${f.lastModifyingUser?.emailAddress ?? 'unknown'}`,
        `in folder: ${f.parents?.join(', ') ?? 'none that the account sees'}`,
        `link: ${f.webViewLink ?? 'none'}`,
        `the account may: ${rights.flatMap(([what, may]) => (may === true ? [what] : [])).join(', ') || 'read only'}`,
        ...(f.shortcutDetails ? [`shortcut to: ${f.shortcutDetails.targetId}`] : []),
      ],
      fileFacts(f),
    );
  },
});

const Permissions = z.looseObject({
  permissions: z
    .array(
      z.looseObject({
        id: z.string(),
        type: z.string(),
        role: z.string(),
        emailAddress: z.string().optional(),
        domain: z.string().optional(),
        expirationTime: z.string().optional(),
      }),
    )
    .default([]),
  nextPageToken: z.string().optional(),
});

export const listPermissionsTool = builtinTool({
  name: 'list_permissions',
  title: 'See who has access',
  description:
    'Lists who may see or change a file of Google Drive: people, groups, domains, and whether everyone with the link may. At most 100 a page.',
  input: z.strictObject({ file_id: DriveId.describe('Id of the file'), cursor: Cursor.optional() }),
  class: 'read',
  projection: [{ kind: 'path', at: '/file_id' }],
  scopes: reading,
  brings: ['private'],
  outward: false,
  async run(call, { file_id, cursor }) {
    const file = await fileWithin(call.vendor, driveLimits(call), file_id);
    const answer = await call.vendor.send({
      method: 'GET',
      path: `/drive/v3/files/${file.id}/permissions`,
      query: {
        ...everywhere,
        pageSize: 100,
        pageToken: cursor,
        fields: 'nextPageToken,permissions(id,type,role,emailAddress,domain,expirationTime)',
      },
    });
    const page = parsed(Permissions, answer.json());
    const who = (p: (typeof page.permissions)[number]): string =>
      p.type === 'anyone' ? 'everyone with the link' : `${p.type} ${p.emailAddress ?? p.domain ?? p.id}`;
    return textAnswer(
      [
        ...page.permissions.map((p) => `${who(p)}: ${p.role}${p.expirationTime ? ` until ${p.expirationTime}` : ''}`),
        ...(page.nextPageToken === undefined ? [] : ['(more with next_cursor)']),
      ],
      {
        permissions: page.permissions.map((p) => ({
          id: p.id,
          type: p.type,
          role: p.role,
          who: p.emailAddress ?? p.domain,
        })),
        next_cursor: page.nextPageToken,
      },
    );
  },
});

const Drives = z.looseObject({
  drives: z.array(z.looseObject({ id: z.string(), name: z.string() })).default([]),
  nextPageToken: z.string().optional(),
});

export const listSharedDrivesTool = builtinTool({
  name: 'list_shared_drives',
  title: 'List shared drives',
  description:
    'Lists the shared drives that the account is a member of and this connector reaches, with their ids. At most 100 a page.',
  input: z.strictObject({ cursor: Cursor.optional() }),
  class: 'read',
  projection: [],
  scopes: reading,
  brings: ['private'],
  outward: false,
  async run(call, { cursor }) {
    const limits = driveLimits(call);
    const answer = await call.vendor.send({
      method: 'GET',
      path: '/drive/v3/drives',
      query: { pageSize: 100, pageToken: cursor, fields: 'nextPageToken,drives(id,name)' },
    });
    const page = parsed(Drives, answer.json());
    const drives = page.drives.filter((d) => limits.open || limits.sharedDrives.includes(d.id));
    return textAnswer(
      drives.length === 0 ? ['No shared drive on this page.'] : drives.map((d) => `${oneLine(d.name)} id: ${d.id}`),
      { shared_drives: drives.map(({ id, name }) => ({ id, name })), next_cursor: page.nextPageToken },
    );
  },
});
