import { z } from 'zod';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { oneLine } from '../../kit/one-line.ts';
import {
  atCursor,
  Cursor,
  cursorOf,
  getGraph,
  kqlWords,
  moreLine,
  odataSegment,
  readAs,
  said,
} from '../microsoft/graph.ts';
import { DriveItem, DriveItems, itemFields, itemLine, shownItem } from './item.ts';
import { confined, driveArgument, limitsOf, openDrive, stayWithin, unlessClosed, type OpenDrive } from './place.ts';
import { reads } from './scopes.ts';

const PAGE = 25;

const Hits = z.object({
  value: z.array(
    z.object({
      hitsContainers: z
        .array(
          z.object({
            moreResultsAvailable: z.boolean().nullish(),
            hits: z.array(z.object({ summary: z.string().nullish(), resource: DriveItem })).nullish(),
          }),
        )
        .nullish(),
    }),
  ),
});

export const searchFiles = builtinTool({
  name: 'search_files',
  title: 'Search files',
  description: `Finds files by words in their name and content, all of which must occur: everywhere the person can see, or in one drive. At most ${PAGE} files, then a cursor. The index of Microsoft may be some minutes behind.`,
  input: z.strictObject({
    query: z
      .string()
      .min(1)
      .max(500)
      .describe('Words to find. Operators and prefixes of search languages are taken as words'),
    drive: driveArgument,
    file_type: z
      .string()
      .regex(/^[A-Za-z0-9]{1,10}$/)
      .optional()
      .describe('Only files with this extension, e.g. docx'),
    changed_after: z.iso.date().optional().describe('Only files changed on or after this day, e.g. 2026-01-31'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [
    { kind: 'folder', at: '/drive' },
    { kind: 'text', at: '/query' },
  ],
  scopes: reads,
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, args) {
    // INVARIANT (no search over the tenant): for an app Graph's search ignores Sites.Selected, so an app searches drive by drive.
    const { items, cursor, withheld } =
      call.actAs === 'person' && args.drive === undefined ? await everywhere(call, args) : await inDrive(call, args);
    const shown = items.map(({ item, summary }) => ({ ...shownItem(item), summary }));
    return said(
      [
        shown.length === 0 ? 'Nothing was found.' : undefined,
        ...shown.map((s) => itemLine(s) + (s.summary === null ? '' : `\n  ${oneLine(s.summary)}`)),
        withheld > 0 ? `${withheld} results are outside what this connector may reach and are withheld.` : undefined,
        moreLine(cursor),
      ],
      { items: shown, withheld, ...(cursor === undefined ? {} : { cursor }) },
    );
  },
});

type Wanted = {
  query: string;
  drive?: string | undefined;
  file_type?: string | undefined;
  changed_after?: string | undefined;
  cursor?: string | undefined;
};
type Found = {
  items: { item: DriveItem; summary: string | null }[];
  cursor: string | undefined;
  withheld: number;
};

async function everywhere(call: BuiltinCall, args: Wanted): Promise<Found> {
  const from = Number(atCursor(args.cursor)['$skip'] ?? 0);
  const queryString = [
    kqlWords(args.query),
    ...(args.file_type === undefined ? [] : [`filetype:${args.file_type}`]),
    ...(args.changed_after === undefined ? [] : [`LastModifiedTime>=${args.changed_after}`]),
  ].join(' ');
  const answer = await call.vendor.send({
    method: 'POST',
    path: '/v1.0/search/query',
    json: { requests: [{ entityTypes: ['driveItem'], query: { queryString }, from, size: PAGE }] },
    safe: true,
  });
  const containers = readAs(Hits, answer.json()).value.flatMap((v) => v.hitsContainers ?? []);
  const hits = containers.flatMap((c) => c.hits ?? []);
  const items: Found['items'] = [];
  const seen: Seen = { drives: new Map(), parents: new Map() };
  for (const h of hits)
    if (await reachable(call, h.resource, seen))
      items.push({ item: h.resource, summary: h.summary ? h.summary.replaceAll(/<\/?(?:c0|ddd)\s*\/?>/g, '') : null });
  return {
    items,
    withheld: hits.length - items.length,
    cursor: containers.some((c) => c.moreResultsAvailable) ? `skip:${from + PAGE}` : undefined,
  };
}

/** Which of the drives of one answer are open, and their folders, each asked for once. */
type Seen = { drives: Map<string, OpenDrive | undefined>; parents: Map<string, DriveItem> };

/** Whether a hit is where this connector may reach; a person's own consent reaches what the person does, unless settings say less. */
async function reachable(call: BuiltinCall, item: DriveItem, seen: Seen): Promise<boolean> {
  const limits = limitsOf(call);
  if (!confined(limits)) return true;
  const { driveId } = item.parentReference ?? {};
  if (!driveId) return false;
  if (!seen.drives.has(driveId)) seen.drives.set(driveId, await unlessClosed(() => openDrive(call, driveId)));
  const drive = seen.drives.get(driveId);
  return drive !== undefined && inside(call, drive, item, seen.parents);
}

async function inDrive(call: BuiltinCall, args: Wanted): Promise<Found> {
  const drive = await openDrive(call, args.drive);
  const list = await getGraph(
    call,
    DriveItems,
    `${drive.path}/root/search(q=${odataSegment(plainWords(args.query))})`,
    {
      $select: itemFields,
      $top: PAGE,
      ...atCursor(args.cursor),
    },
  );
  const known = new Map<string, DriveItem>();
  const items: Found['items'] = [];
  const wanted = list.value.filter((i) => fits(i, args));
  for (const item of wanted) if (await inside(call, drive, item, known)) items.push({ item, summary: null });
  return { items, withheld: wanted.length - items.length, cursor: cursorOf(list) };
}

/** Words without anything that a search language could read. */
const plainWords = (text: string): string => kqlWords(text).replaceAll('"', '');

/** The search of one drive takes words only, so the rest is looked at here. */
function fits(item: DriveItem, args: Wanted): boolean {
  const type = args.file_type?.toLowerCase();
  if (type !== undefined && !item.name?.toLowerCase().endsWith(`.${type}`)) return false;
  return args.changed_after === undefined || (item.lastModifiedDateTime ?? '') >= args.changed_after;
}

async function inside(
  call: BuiltinCall,
  drive: OpenDrive,
  item: DriveItem,
  known: Map<string, DriveItem>,
): Promise<boolean> {
  const found = await unlessClosed(async () => {
    await stayWithin(call, drive, item, known);
    return true;
  });
  return found === true;
}
