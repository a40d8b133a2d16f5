import { z } from 'zod';
import { visible } from '#kernel/visible.ts';
import { oneLine } from '../../kit/one-line.ts';
import { withoutPictures } from '../../kit/outgoing-text.ts';
import { segment } from '../../kit/vendor-path.ts';
import { listOf, notion, type NotionCall } from './notion-api.ts';
import { plainOf, RichText } from './rich-text.ts';

const Block = z.looseObject({ id: z.string(), type: z.string(), has_children: z.boolean() });
type Block = z.infer<typeof Block>;

/** Requests that one page is read with; Notion lets three a second. */
const MAX_REQUESTS = 30;
const MAX_DEPTH = 5;

/** What a block of any kind can have that is shown. Addresses of uploaded files are signed and so are never shown. */
const Inside = z.looseObject({
  rich_text: z.array(RichText).nullish(),
  caption: z.array(RichText).nullish(),
  checked: z.boolean().nullish(),
  language: z.string().nullish(),
  title: z.string().nullish(),
  url: z.string().nullish(),
  expression: z.string().nullish(),
  name: z.string().nullish(),
  cells: z.array(z.array(RichText)).nullish(),
  external: z.looseObject({ url: z.string() }).nullish(),
  page_id: z.string().nullish(),
  database_id: z.string().nullish(),
});

/** Blocks that are pages of their own or stand for one; they are named and not followed. */
const closed = new Set(['child_page', 'child_database', 'link_to_page']);

export type ReadBlocks = { lines: string[]; top: { id: string; type: string }[]; next: string | undefined };

/** The blocks of a page as text that a model can read; what was left out is said where it would stand. */
export async function readBlocks(call: NotionCall, page: string, cursor: string | undefined): Promise<ReadBlocks> {
  let left = MAX_REQUESTS;
  const children = async (of: string, from: string | undefined) => {
    left--;
    return notion(
      call,
      { method: 'GET', path: `/v1/blocks/${segment(of)}/children`, query: { page_size: 100, start_cursor: from } },
      listOf(Block),
    );
  };
  const lines: string[] = [];
  const walk = async (blocks: readonly Block[], depth: number): Promise<void> => {
    const indent = '  '.repeat(depth);
    let number = 0;
    for (const b of blocks) {
      number = b.type === 'numbered_list_item' ? number + 1 : 0;
      const text = blockText(b, number);
      if (text !== undefined)
        lines.push(
          ...visible(b.type === 'code' ? text : withoutPictures(text))
            .split('\n')
            .map((l) => indent + l),
        );
      if (!b.has_children || closed.has(b.type)) continue;
      if (depth >= MAX_DEPTH || left <= 0) {
        lines.push(`${indent}  (more below: read_page with id ${b.id})`);
        continue;
      }
      let from: string | undefined;
      do {
        const more = await children(b.id, from);
        // Columns and the like have no words of their own.
        await walk(more.results, text === undefined ? depth : depth + 1);
        from = more.has_more ? (more.next_cursor ?? undefined) : undefined;
        if (from !== undefined && left <= 0) lines.push(`${indent}  (more below: read_page with id ${b.id})`);
      } while (from !== undefined && left > 0);
    }
  };
  const first = await children(page, cursor);
  await walk(first.results, 0);
  return {
    lines,
    top: first.results.map((b) => ({ id: b.id, type: b.type })),
    next: first.has_more ? (first.next_cursor ?? undefined) : undefined,
  };
}

function blockText(b: Block, number: number): string | undefined {
  const i = Inside.safeParse(b[b.type]).data ?? {};
  const text = plainOf(i.rich_text ?? []);
  const caption = plainOf(i.caption ?? []);
  switch (b.type) {
    case 'paragraph':
    case 'callout':
    case 'toggle':
    case 'template':
      return text;
    case 'heading_1':
    case 'heading_2':
    case 'heading_3':
    case 'heading_4':
      return `${'#'.repeat(Number(b.type.at(-1)))} ${text}`;
    case 'bulleted_list_item':
      return `- ${text}`;
    case 'numbered_list_item':
      return `${number}. ${text}`;
    case 'to_do':
      return `- [${i.checked ? 'x' : ' '}] ${text}`;
    case 'quote':
      return `> ${text}`;
    case 'code': {
      // Longer than what is in it, so that nothing of it is outside of it.
      const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map((m) => m[0].length + 1)));
      return `${fence}${i.language ?? ''}\n${text}\n${fence}`;
    }
    case 'equation':
      return i.expression ?? '';
    case 'divider':
      return '---';
    case 'table_row':
      return `| ${(i.cells ?? []).map(plainOf).join(' | ')} |`;
    case 'child_page':
      return `[page "${oneLine(i.title ?? '')}", id ${b.id}]`;
    case 'child_database':
      return `[database "${oneLine(i.title ?? '')}", id ${b.id}]`;
    case 'link_to_page':
      return `[link to ${i.page_id ?? i.database_id ?? 'a page'}]`;
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'pdf':
      return `[${b.type}${i.name ? ` ${i.name}` : ''}${caption === '' ? '' : `: ${caption}`}${i.external ? ` at ${i.external.url}` : ', uploaded to Notion'}]`;
    case 'bookmark':
    case 'embed':
    case 'link_preview':
      return `[${b.type.replace('_', ' ')} ${i.url ?? ''}${caption === '' ? '' : `: ${caption}`}]`;
    case 'table':
    case 'column_list':
    case 'column':
    case 'synced_block':
    case 'meeting_notes':
      return undefined;
    case 'breadcrumb':
    case 'table_of_contents':
      return undefined;
    default:
      return `[${b.type}: not shown]`;
  }
}
