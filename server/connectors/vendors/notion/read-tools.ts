import { z } from 'zod';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { oneLine } from '../../kit/one-line.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { segment } from '../../kit/vendor-path.ts';
import { readBlocks } from './blocks-text.ts';
import { filterOf, Filters } from './filters.ts';
import { Cursor, listOf, notion, NotionId } from './notion-api.ts';
import { DataSource, dataSourceTitle, findDatabase, findDataSource, findPage, Page, typesOf } from './pages.ts';
import { propertyLines, titleOf } from './properties.ts';
import { plainOf } from './rich-text.ts';

const more = (next: string | null | undefined, has: boolean): { cursor?: string } =>
  has && next ? { cursor: next } : {};
const sayMore = (has: boolean): string[] => (has ? ['(there are more; ask again with the cursor)'] : []);

export const searchTool = builtinTool({
  name: 'search',
  title: 'Search pages and databases',
  description:
    'Pages and data sources (tables of databases) that are shared with the connection, by words of their titles; newest first. Content is not searched. At most 100 a page.',
  input: z.strictObject({
    query: z.string().max(200).optional().describe('Words of the title; without it, everything that is shared'),
    kind: z.enum(['page', 'data_source']).optional().describe('Only pages, or only data sources'),
    limit: z.int().min(1).max(100).optional().describe('Results a page; default 25'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [{ kind: 'text', at: '/query' }],
  scopes: [],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { query, kind, limit, cursor }) {
    const found = await notion(
      call,
      {
        method: 'POST',
        path: '/v1/search',
        json: {
          ...(query === undefined ? {} : { query }),
          ...(kind === undefined ? {} : { filter: { property: 'object', value: kind } }),
          sort: { timestamp: 'last_edited_time', direction: 'descending' },
          page_size: limit ?? 25,
          ...(cursor === undefined ? {} : { start_cursor: cursor }),
        },
        safe: true,
      },
      listOf(z.union([Page, DataSource])),
    );
    const lines = found.results.map((r) =>
      r.object === 'page'
        ? `page ${r.id}: ${titleOf(r.properties)}${r.last_edited_time ? `, changed ${r.last_edited_time.slice(0, 10)}` : ''}${r.public_url ? ', published to the web' : ''}`
        : `data source ${r.id}: ${oneLine(dataSourceTitle(r))}`,
    );
    if (lines.length === 0) lines.push('nothing found among what is shared with the connection');
    return textAnswer([...lines, ...sayMore(found.has_more)], {
      results: found.results.map((r) => ({ kind: r.object, id: r.id })),
      ...more(found.next_cursor, found.has_more),
    });
  },
});

export const readPageTool = builtinTool({
  name: 'read_page',
  title: 'Read a page',
  description:
    'Properties and content of a page as text, 100 top-level blocks at a time, up to five levels deep. Pictures and files are named, not fetched. Also takes the id of a block, for what is below it.',
  input: z.strictObject({ id: NotionId.describe('Id of the page, or of a block'), cursor: Cursor }),
  class: 'read',
  projection: [{ kind: 'path', at: '/id' }],
  scopes: [],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { id, cursor }) {
    const page = await findPage(call, id).catch((e: unknown) => {
      // The id of a block is none of a page; what is shared with nobody is refused below in the same words.
      if (e instanceof VendorRefusal && (e.status === 404 || e.status === 400)) return undefined;
      throw e;
    });
    const { lines, top, next } = await readBlocks(call, id, cursor);
    const head =
      page && cursor === undefined
        ? [
            `# ${titleOf(page.properties)}`,
            ...(page.in_trash ? ['(this page is in the trash)'] : []),
            ...(page.public_url ? ['(this page is published to the web)'] : []),
            ...propertyLines(page.properties),
            '',
          ]
        : [];
    return textAnswer(
      [...head, ...lines, ...sayMore(next !== undefined)],
      { id, blocks: top, ...more(next, next !== undefined) },
      { ask: 'read single blocks of it by their ids' },
    );
  },
});

export const describeDatabaseTool = builtinTool({
  name: 'describe_database',
  title: 'Describe a database',
  description:
    'Data sources (tables) of a database, or the properties of one data source with their types and choices.',
  input: z.strictObject({ id: NotionId.describe('Id of a database or of a data source') }),
  class: 'read',
  projection: [{ kind: 'path', at: '/id' }],
  scopes: [],
  brings: ['private'],
  outward: false,
  async run(call, { id }) {
    const source = await findDataSource(call, id).catch((e: unknown) => {
      if (e instanceof VendorRefusal && (e.status === 404 || e.status === 400)) return undefined;
      throw e;
    });
    if (!source) {
      const d = await findDatabase(call, id);
      return textAnswer(
        [
          `database ${oneLine(plainOf(d.title ?? []) || '(no title)')}, ${d.data_sources.length} data sources`,
          ...d.data_sources.map((s) => `data source ${s.id}: ${oneLine(s.name ?? '')}`),
        ],
        { data_sources: d.data_sources.map((s) => s.id) },
      );
    }
    const lines = Object.entries(source.properties).map(([name, p]) => {
      const choices = (p.select ?? p.multi_select ?? p.status)?.options.map((o) => o.name) ?? [];
      return oneLine(`${name}: ${p.type}${choices.length > 0 ? `, one of ${choices.slice(0, 50).join(', ')}` : ''}`);
    });
    return textAnswer([`data source ${oneLine(dataSourceTitle(source))}`, ...lines], { id: source.id });
  },
});

export const queryDataSourceTool = builtinTool({
  name: 'query_data_source',
  title: 'Query a database',
  description:
    'Rows of a data source (table of a database) by conditions on its properties. Names, types and choices are shown by describe_database. At most 100 rows a page.',
  input: z.strictObject({
    id: NotionId.describe('Id of the data source'),
    filters: Filters.optional().describe('Conditions'),
    match: z.enum(['all', 'any']).optional().describe('Whether all conditions must be true (default) or any'),
    sort: z
      .strictObject({
        property: z.string().min(1).max(200).describe('Name of a property'),
        direction: z.enum(['ascending', 'descending']),
      })
      .optional(),
    limit: z.int().min(1).max(100).optional().describe('Rows a page; default 25'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [{ kind: 'path', at: '/id' }],
  scopes: [],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { id, filters, match, sort, limit, cursor }) {
    const filter = filters && filterOf(filters, match ?? 'all', typesOf(await findDataSource(call, id)));
    const found = await notion(
      call,
      {
        method: 'POST',
        path: `/v1/data_sources/${segment(id)}/query`,
        json: {
          ...(filter === undefined ? {} : { filter }),
          ...(sort === undefined ? {} : { sorts: [sort] }),
          page_size: limit ?? 25,
          ...(cursor === undefined ? {} : { start_cursor: cursor }),
        },
        safe: true,
      },
      listOf(z.union([Page, DataSource])),
    );
    const lines = found.results.flatMap((r) =>
      r.object === 'page'
        ? [
            `page ${r.id}: ${titleOf(r.properties)}`,
            ...propertyLines(r.properties).map((l) => `  ${l.replaceAll('\n', '\n  ')}`),
          ]
        : [`data source ${r.id}: ${oneLine(dataSourceTitle(r))}`],
    );
    if (lines.length === 0) lines.push('no rows');
    return textAnswer(
      [...lines, ...sayMore(found.has_more)],
      { pages: found.results.map((r) => r.id), ...more(found.next_cursor, found.has_more) },
      { ask: 'ask with a smaller limit' },
    );
  },
});
