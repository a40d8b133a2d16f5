import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { segment } from '../../kit/vendor-path.ts';
import { blocksOf, BLOCKS_A_REQUEST, type NewBlock } from './markdown-blocks.ts';
import { listOf, notion, NotionId } from './notion-api.ts';
import { openDataSource, openPage, findDataSource, typesOf } from './pages.ts';
import { PropertyValues, titleOf, writtenProperties } from './properties.ts';
import { runsOf, textRuns, type Writing } from './rich-text.ts';
import { notionSettings } from './settings.ts';

const Markdown = z
  .string()
  .max(100_000)
  .describe(
    'Content in Markdown: headings, lists, tasks, quotes, code, rules, links. Pictures become their addresses in words.',
  );
const Made = z.looseObject({ id: z.string() });

/** What is written and how many addresses were put in sight for it. */
function writing(call: BuiltinCall): Writing & { note(): string[] } {
  let seen = 0;
  return {
    ownHosts: notionSettings(call.settings).own_hosts ?? [],
    seen: () => {
      seen++;
    },
    note: () => (seen > 0 ? [`(${seen} links and pictures were written with their addresses in sight)`] : []),
  };
}

const append = (call: BuiltinCall, to: string, children: readonly NewBlock[], position: unknown) =>
  notion(
    call,
    {
      method: 'PATCH',
      path: `/v1/blocks/${segment(to)}/children`,
      json: { children, ...(position === undefined ? {} : { position }) },
    },
    listOf(Made),
  );

/**
 * Blocks in as many requests as they need, in their order. INVARIANT (no half without a word): what was written before a refusal is said with it,
 * because it stays.
 */
async function appendAll(
  call: BuiltinCall,
  to: string,
  blocks: readonly NewBlock[],
  first: unknown,
): Promise<string[]> {
  const ids: string[] = [];
  let position = first;
  for (let i = 0; i < blocks.length; i += BLOCKS_A_REQUEST) {
    try {
      const made = await append(call, to, blocks.slice(i, i + BLOCKS_A_REQUEST), position);
      // With a place other than the end, Notion may list the blocks that follow, too.
      ids.push(...made.results.slice(0, Math.min(BLOCKS_A_REQUEST, blocks.length - i)).map((b) => b.id));
    } catch (e) {
      if (i === 0 || !(e instanceof VendorRefusal)) throw e;
      throw new VendorRefusal(
        e.status,
        e.code,
        `the first ${i} of ${blocks.length} blocks were written, then: ${e.says}`,
      );
    }
    const last = ids.at(-1);
    if (first !== undefined && last !== undefined) position = { type: 'after_block', after_block: { id: last } };
  }
  return ids;
}

export const createPageTool = builtinTool({
  name: 'create_page',
  title: 'Create a page',
  description:
    'A new page below a page, or a new row of a data source with its properties. Content in Markdown, at most 500 blocks.',
  input: z.strictObject({
    parent_page: NotionId.optional().describe('Id of the page below which it is made; this or data_source'),
    data_source: NotionId.optional().describe('Id of the data source in which it is a row; this or parent_page'),
    title: z.string().min(1).max(2000).describe('Title of the page'),
    properties: PropertyValues.optional(),
    markdown: Markdown.optional(),
  }),
  class: 'write',
  projection: [
    { kind: 'folder', at: '/parent_page' },
    { kind: 'folder', at: '/data_source' },
    { kind: 'text', at: '/title' },
    { kind: 'text', at: '/markdown' },
  ],
  scopes: [],
  brings: [],
  outward: false,
  async run(call, { parent_page, data_source, title, properties, markdown }) {
    if ((parent_page === undefined) === (data_source === undefined))
      throw new Problem('invalid', 'connectors/notion-parent', {
        says: 'a page is made below one page or in one data source',
        fix: 'give either parent_page or data_source',
      });
    const w = writing(call);
    const blocks = markdown === undefined ? [] : blocksOf(markdown, w);
    let parent: Record<string, string>;
    let types: Record<string, string>;
    if (data_source !== undefined) {
      types = typesOf(await openDataSource(call, data_source));
      parent = { type: 'data_source_id', data_source_id: data_source };
    } else {
      await openPage(call, parent_page ?? '');
      types = { title: 'title' };
      parent = { type: 'page_id', page_id: parent_page ?? '' };
    }
    const [titleName] = Object.entries(types).find(([, type]) => type === 'title') ?? ['title'];
    const made = await notion(
      call,
      {
        method: 'POST',
        path: '/v1/pages',
        json: {
          parent,
          properties: { ...writtenProperties(properties ?? {}, types), [titleName]: { title: textRuns(title) } },
          ...(blocks.length > 0 ? { children: blocks.slice(0, BLOCKS_A_REQUEST) } : {}),
        },
      },
      z.looseObject({ id: z.string(), url: z.string().optional() }),
    );
    try {
      await appendAll(call, made.id, blocks.slice(BLOCKS_A_REQUEST), undefined);
    } catch (e) {
      if (!(e instanceof VendorRefusal)) throw e;
      throw new VendorRefusal(
        e.status,
        e.code,
        `the page ${made.id} was created with a part of its content, then: ${e.says}`,
      );
    }
    return textAnswer([`created page ${made.id}${made.url ? ` at ${made.url}` : ''}`, ...w.note()], { id: made.id });
  },
});

export const appendBlocksTool = builtinTool({
  name: 'append_blocks',
  title: 'Add to a page',
  description: 'Adds content to a page: at its end, at its start, or after one of its blocks. At most 500 blocks.',
  input: z.strictObject({
    page: NotionId.describe('Id of the page'),
    markdown: Markdown,
    after_block: NotionId.optional().describe('Id of a top-level block of the page, after which it is put'),
    at_start: z.boolean().optional().describe('Whether it is put at the start; default no'),
  }),
  class: 'write',
  projection: [
    { kind: 'path', at: '/page' },
    { kind: 'text', at: '/markdown' },
  ],
  scopes: [],
  brings: [],
  outward: false,
  async run(call, { page, markdown, after_block, at_start }) {
    const w = writing(call);
    const blocks = blocksOf(markdown, w);
    if (blocks.length === 0)
      throw new Problem('invalid', 'connectors/notion-nothing', {
        says: 'there is no content in the markdown',
        fix: 'give some text',
      });
    const { properties } = await openPage(call, page);
    const position =
      after_block !== undefined
        ? { type: 'after_block', after_block: { id: after_block } }
        : at_start
          ? { type: 'start' }
          : undefined;
    const ids = await appendAll(call, page, blocks, position);
    return textAnswer([`added ${blocks.length} blocks to ${titleOf(properties)}`, ...w.note()], { page, blocks: ids });
  },
});

export const updatePageTool = builtinTool({
  name: 'update_page',
  title: 'Change properties of a page',
  description:
    'Changes the title or properties of a page or row; content is not touched. Nothing is put into the trash.',
  input: z.strictObject({
    page: NotionId.describe('Id of the page'),
    title: z.string().min(1).max(2000).optional().describe('New title'),
    properties: PropertyValues.optional(),
  }),
  class: 'write',
  projection: [
    { kind: 'path', at: '/page' },
    { kind: 'text', at: '/title' },
  ],
  scopes: [],
  brings: [],
  outward: false,
  async run(call, { page, title, properties }) {
    const found = await openPage(call, page);
    const source = found.parent?.data_source_id;
    const types =
      source === undefined
        ? Object.fromEntries(Object.entries(found.properties).map(([n, p]) => [n, p.type]))
        : typesOf(await findDataSource(call, source));
    const [titleName] = Object.entries(types).find(([, type]) => type === 'title') ?? ['title'];
    const written = {
      ...writtenProperties(properties ?? {}, types),
      ...(title === undefined ? {} : { [titleName]: { title: textRuns(title) } }),
    };
    if (Object.keys(written).length === 0)
      throw new Problem('invalid', 'connectors/notion-nothing', {
        says: 'there is nothing to change',
        fix: 'give a title or properties',
      });
    await notion(call, { method: 'PATCH', path: `/v1/pages/${segment(page)}`, json: { properties: written } }, Made);
    return textAnswer([`changed ${Object.keys(written).join(', ')} of ${titleOf(found.properties)}`], { page });
  },
});

export const commentTool = builtinTool({
  name: 'comment',
  title: 'Comment on a page',
  description: 'Adds a comment to a page, or to a discussion on it. Whoever follows the page is notified.',
  input: z.strictObject({
    page: NotionId.describe('Id of the page'),
    text: z.string().min(1).max(5000).describe('The comment; links as [words](address) are shown with their addresses'),
    discussion: NotionId.optional().describe('Id of a discussion on the page, to answer there'),
  }),
  class: 'write',
  projection: [
    { kind: 'path', at: '/page' },
    { kind: 'text', at: '/text' },
  ],
  scopes: [],
  brings: [],
  outward: true,
  async run(call, { page, text, discussion }) {
    const { properties } = await openPage(call, page);
    if (discussion !== undefined) await onPage(call, page, discussion);
    const w = writing(call);
    const made = await notion(
      call,
      {
        method: 'POST',
        path: '/v1/comments',
        json: {
          ...(discussion === undefined ? { parent: { page_id: page } } : { discussion_id: discussion }),
          rich_text: runsOf(text, w),
        },
      },
      Made,
    );
    return textAnswer([`commented on ${titleOf(properties)}`, ...w.note()], { id: made.id, page });
  },
});

/** Pages of 100 comments that are looked through for a discussion. */
const MAX_COMMENT_PAGES = 20;

/** A discussion is named by the page that it is on, so that a rule on pages holds for it too. */
async function onPage(call: BuiltinCall, page: string, discussion: string): Promise<void> {
  let cursor: string | undefined;
  let pages = 0;
  do {
    const found = await notion(
      call,
      { method: 'GET', path: '/v1/comments', query: { block_id: page, page_size: 100, start_cursor: cursor } },
      listOf(z.looseObject({ discussion_id: z.string() })),
    );
    if (found.results.some((c) => c.discussion_id === discussion)) return;
    cursor = found.has_more ? (found.next_cursor ?? undefined) : undefined;
  } while (cursor !== undefined && ++pages < MAX_COMMENT_PAGES);
  throw new Problem('missing', 'connectors/notion-discussion', {
    says: `there is no open discussion ${discussion} on this page${cursor === undefined ? '' : ' among the comments that are looked through'}`,
    fix: 'leave discussion out to begin one',
  });
}
