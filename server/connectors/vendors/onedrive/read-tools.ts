import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { MAX_CONTENT_BYTES } from '../../content/content.ts';
import { toText } from '../../content/to-text.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { oneLine } from '../../kit/one-line.ts';
import { atCursor, Cursor, cursorOf, getGraph, MAX_TEXT, moreLine, said } from '../microsoft/graph.ts';
import { itemLine, shownItem } from './item.ts';
import { driveArgument, itemArgument, itemAt, openDrive, openItem, openTarget, pathArgument } from './place.ts';
import { reads } from './scopes.ts';

const place = { drive: driveArgument, item: itemArgument, path: pathArgument };
const projection = [
  { kind: 'folder', at: '/drive' },
  { kind: 'path', at: '/path' },
  { kind: 'path', at: '/item' },
] as const;

export const getItem = builtinTool({
  name: 'get_item',
  title: 'Look at a file or folder',
  description:
    'Shows name, size, kind, place, last change and address of a file or folder, without its content. By id or by path.',
  input: z.strictObject(place),
  class: 'read',
  projection,
  scopes: reads,
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, args) {
    const item = await openItem(call, await openDrive(call, args.drive), args);
    const shown = { ...shownItem(item), description: item.description ?? null, created: item.createdDateTime ?? null };
    return said(
      [
        itemLine(shown),
        shown.web_url ?? undefined,
        shown.description === null ? undefined : `description: ${oneLine(shown.description)}`,
      ],
      { item: shown },
    );
  },
});

export const readFile = builtinTool({
  name: 'read_file',
  title: 'Read a file',
  description: `Gives the text of a file (Word, Excel, PowerPoint, PDF, HTML, CSV, plain text) of at most ${MAX_CONTENT_BYTES / 1024 / 1024} MiB. At most ${MAX_TEXT} characters at once; \`offset\` reads on. By id or by path.`,
  input: z.strictObject({
    ...place,
    offset: z.int().min(0).max(1e9).optional().describe('Characters to pass over, as the answer before said'),
    page: z.int().min(1).max(1e6).optional().describe('Page, sheet or slide to begin with, from 1'),
  }),
  class: 'read',
  projection,
  scopes: reads,
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, args) {
    const drive = await openDrive(call, args.drive);
    const item = await openTarget(call, drive, args);
    const shown = shownItem(item, drive.id);
    if (shown.kind !== 'file')
      throw new Problem('invalid', 'connectors/onedrive-no-file', {
        says: `${shown.name || 'this'} is a ${shown.kind === 'package' ? `${item.package?.type ?? ''} package, which has no content of its own` : 'folder'}`,
        fix: 'list_children shows what is in it',
      });
    if ((item.size ?? 0) > MAX_CONTENT_BYTES)
      throw new Problem('too_large', 'connectors/onedrive-too-large', {
        says: `the file has ${item.size} bytes, and at most ${MAX_CONTENT_BYTES} are read`,
        fix: 'open it at its address, or ask for a smaller file',
      });
    const answer = await call.vendor.send({
      method: 'GET',
      path: `/v1.0${itemAt(drive, item)}/content`,
      headers: { accept: '*/*' },
      followDownload: true,
      maxBytes: MAX_CONTENT_BYTES,
    });
    const text = await toText(
      { bytes: answer.bytes, name: item.name ?? undefined, mimeType: item.file?.mimeType ?? undefined },
      { maxChars: MAX_TEXT, offset: args.offset, page: args.page },
      { signal: call.signal },
    );
    return said(
      [
        `${oneLine(shown.path ?? shown.name)} (${text.kind}, ${answer.bytes.length} bytes)`,
        ...text.notes,
        text.truncated ? `The text goes on: ask again with offset ${text.next}.` : undefined,
        '',
        text.text,
      ],
      {
        item: shown,
        kind: text.kind,
        truncated: text.truncated,
        ...(text.next === undefined ? {} : { next: text.next }),
      },
    );
  },
});

const Who = z
  .object({ displayName: z.string().nullish(), email: z.string().nullish(), id: z.string().nullish() })
  .nullish();
const Identities = z.object({ user: Who, group: Who, application: Who, siteUser: Who, siteGroup: Who });
export const Permission = z.object({
  id: z.string().nullish(),
  roles: z.array(z.string()).nullish(),
  grantedToV2: Identities.nullish(),
  grantedToIdentitiesV2: z.array(Identities).nullish(),
  link: z.object({ type: z.string().nullish(), scope: z.string().nullish(), webUrl: z.string().nullish() }).nullish(),
  inheritedFrom: z.unknown().optional(),
  invitation: z.object({ email: z.string().nullish() }).nullish(),
  expirationDateTime: z.string().nullish(),
});
const Permissions = z.object({ value: z.array(Permission), '@odata.nextLink': z.string().nullish() });

export const listPermissions = builtinTool({
  name: 'list_permissions',
  title: 'See who has access',
  description: 'Shows who has access to a file or folder and by which links, as far as the person may see it.',
  input: z.strictObject({ ...place, cursor: Cursor }),
  class: 'read',
  projection,
  scopes: reads,
  brings: ['private'],
  outward: false,
  async run(call, args) {
    const drive = await openDrive(call, args.drive);
    const item = await openTarget(call, drive, args);
    const list = await getGraph(call, Permissions, `${itemAt(drive, item)}/permissions`, {
      $top: 100,
      ...atCursor(args.cursor),
    });
    const shown = list.value.map(shownPermission);
    const cursor = cursorOf(list);
    return said(
      [
        shown.length === 0 ? 'Nobody beside the owner, as far as the person may see.' : undefined,
        ...shown.map((p) =>
          oneLine(
            `- ${p.who.join(', ') || '(nobody by name)'}: ${p.roles.join(', ')}${p.link ? `, by a link for ${p.link}` : ''}${p.inherited ? ', inherited' : ''}`,
          ),
        ),
        moreLine(cursor),
      ],
      { permissions: shown, ...(cursor === undefined ? {} : { cursor }) },
    );
  },
});

/** Who may what; a link's address is left out, because it may be all that anybody needs to come in. */
function shownPermission(p: z.output<typeof Permission>) {
  const who = [p.grantedToV2, ...(p.grantedToIdentitiesV2 ?? [])].flatMap((i) => {
    const one = i?.user ?? i?.group ?? i?.siteUser ?? i?.siteGroup ?? i?.application;
    return one ? [one.email ?? one.displayName ?? one.id ?? ''] : [];
  });
  return {
    id: p.id ?? null,
    who: [...who, ...(p.invitation?.email ? [p.invitation.email] : [])],
    roles: p.roles ?? [],
    link: p.link?.scope ?? null,
    inherited: Boolean(p.inheritedFrom),
    ends: p.expirationDateTime ?? null,
  };
}
