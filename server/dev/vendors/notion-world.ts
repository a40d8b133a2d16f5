/** A workspace's pages, databases and people, as tests may change them. */
export type NotionWorld = {
  workspace: string;
  users: NotionUser[];
  pages: NotionPage[];
  databases: { id: string; title: string; sources: string[]; public?: string }[];
  sources: NotionSource[];
  blocks: NotionBlock[];
  comments: { id: string; page: string; discussion: string; text: string; links: string[] }[];
  /** Ids of pages and databases that are shared with integrations; what is below them is, too. */
  shared: Set<string>;
  capabilities: Set<'read' | 'insert' | 'update' | 'read_comments' | 'insert_comments'>;
};
export type NotionUser = { id: string; account: string; workspace: string; name: string; email: string };
export type NotionPage = {
  id: string;
  parent: { page?: string; source?: string };
  properties: Record<string, { type: string; [k: string]: unknown }>;
  public?: string;
  trash?: boolean;
  edited: string;
};
export type NotionSource = {
  id: string;
  database: string;
  title: string;
  types: Record<string, { type: string; options?: string[] }>;
};
export type NotionBlock = { id: string; parent: string; type: string; content: Record<string, unknown> };

export const rich = (text: string, href: string | null = null): Record<string, unknown> => ({
  type: 'text',
  text: { content: text, link: href === null ? null : { url: href } },
  annotations: { bold: false, italic: false, strikethrough: false, underline: false, code: false, color: 'default' },
  plain_text: text,
  href,
});
export const titled = (text: string) => ({ title: { id: 'title', type: 'title', title: [rich(text)] } });

/** `notionId('page', 3)`: ids that a test can name. */
export const notionId = (
  kind: 'page' | 'block' | 'source' | 'database' | 'user' | 'comment' | 'workspace',
  n: number,
): string => {
  const k = { page: '1', block: '2', source: '3', database: '4', user: '5', comment: '6', workspace: '7' }[kind];
  return `${k.repeat(8)}-0000-4000-8000-${String(n).padStart(12, '0')}`;
};
const [page, block] = [(n: number) => notionId('page', n), (n: number) => notionId('block', n)];

export const notionWorld = (): NotionWorld => ({
  workspace: notionId('workspace', 1),
  users: [
    {
      id: notionId('user', 1),
      account: 'ada',
      workspace: notionId('workspace', 1),
      name: 'Ada Lovelace',
      email: 'ada@acme.example',
    },
    {
      id: notionId('user', 2),
      account: 'grace',
      workspace: notionId('workspace', 1),
      name: 'Grace Hopper',
      email: 'grace@acme.example',
    },
    {
      id: notionId('user', 3),
      account: 'mallory',
      workspace: notionId('workspace', 66),
      name: 'Mallory',
      email: 'mallory@evil.example',
    },
    {
      id: notionId('user', 4),
      account: 'pat',
      workspace: notionId('workspace', 77),
      name: 'Pat',
      email: 'pat@mail.example',
    },
  ],
  pages: [
    { id: page(1), parent: {}, properties: titled('Handbook'), edited: '2026-10-01T10:00:00.000Z' },
    { id: page(2), parent: { page: page(1) }, properties: titled('Travel'), edited: '2026-10-02T10:00:00.000Z' },
    { id: page(3), parent: {}, properties: titled('Salaries'), edited: '2026-10-03T10:00:00.000Z' },
    {
      id: page(4),
      parent: {},
      properties: titled('Public blog'),
      public: 'https://acme.notion.site/blog',
      edited: '2026-10-04T10:00:00.000Z',
    },
    {
      id: page(5),
      parent: { source: notionId('source', 1) },
      edited: '2026-10-05T10:00:00.000Z',
      properties: {
        Name: { id: 'title', type: 'title', title: [rich('Fix the roof')] },
        Status: { id: 's', type: 'status', status: { id: '1', name: 'Open' } },
        Cost: { id: 'c', type: 'number', number: 1200 },
        Due: { id: 'd', type: 'date', date: { start: '2026-12-01', end: null } },
        Who: { id: 'w', type: 'people', people: [{ object: 'user', id: notionId('user', 1), name: 'Ada Lovelace' }] },
        Sum: { id: 'f', type: 'formula', formula: { type: 'number', number: 1428 } },
      },
    },
    {
      id: page(6),
      parent: { source: notionId('source', 1) },
      edited: '2026-10-06T10:00:00.000Z',
      properties: {
        Name: { id: 'title', type: 'title', title: [rich('Paint the door')] },
        Status: { id: 's', type: 'status', status: { id: '2', name: 'Done' } },
        Cost: { id: 'c', type: 'number', number: 80 },
      },
    },
  ],
  databases: [{ id: notionId('database', 1), title: 'Tasks', sources: [notionId('source', 1)] }],
  sources: [
    {
      id: notionId('source', 1),
      database: notionId('database', 1),
      title: 'Tasks',
      types: {
        Name: { type: 'title' },
        Status: { type: 'status', options: ['Open', 'Done'] },
        Cost: { type: 'number' },
        Due: { type: 'date' },
        Who: { type: 'people' },
        Sum: { type: 'formula' },
      },
    },
  ],
  blocks: [
    { id: block(1), parent: page(1), type: 'heading_1', content: { rich_text: [rich('Welcome')] } },
    {
      id: block(2),
      parent: page(1),
      type: 'paragraph',
      content: { rich_text: [rich('Read '), rich('the plan', 'https://wiki.acme.example/plan'), rich(' first.')] },
    },
    { id: block(3), parent: page(1), type: 'bulleted_list_item', content: { rich_text: [rich('One')] } },
    { id: block(4), parent: block(3), type: 'bulleted_list_item', content: { rich_text: [rich('One and a half')] } },
    { id: block(5), parent: page(1), type: 'to_do', content: { rich_text: [rich('Sign')], checked: true } },
    {
      id: block(6),
      parent: page(1),
      type: 'code',
      content: { rich_text: [rich('x = 1')], language: 'python', caption: [] },
    },
    {
      id: block(7),
      parent: page(1),
      type: 'image',
      content: {
        type: 'file',
        file: { url: 'https://files.notion.example/signed?X-Amz-Signature=secret' },
        caption: [rich('The office')],
      },
    },
    {
      id: block(8),
      parent: page(1),
      type: 'image',
      content: { type: 'external', external: { url: 'https://elsewhere.example/p.png' }, caption: [] },
    },
    { id: block(9), parent: page(1), type: 'child_page', content: { title: 'Travel' } },
    { id: block(10), parent: page(1), type: 'table', content: { table_width: 2 } },
    { id: block(11), parent: block(10), type: 'table_row', content: { cells: [[rich('a')], [rich('b')]] } },
    { id: block(12), parent: page(1), type: 'ai_block', content: {} },
  ],
  comments: [
    { id: notionId('comment', 1), page: page(1), discussion: notionId('comment', 100), text: 'Nice', links: [] },
  ],
  shared: new Set([page(1), page(4), notionId('database', 1)]),
  capabilities: new Set(['read', 'insert', 'update', 'read_comments', 'insert_comments']),
});
