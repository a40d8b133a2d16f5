import { rich, type NotionBlock, type NotionPage, type NotionSource, type NotionWorld } from './notion-world.ts';
import type { Said } from './vendor-server.ts';

export const no = (status: number, code: string, message: string): Said => ({
  status,
  json: { object: 'error', status, code, message, request_id: '00000000-0000-4000-8000-000000000000' },
});
export class SaidNo extends Error {
  readonly said: Said;
  constructor(said: Said) {
    super('no');
    this.said = said;
  }
}
export const invalid = (message: string): SaidNo => new SaidNo(no(400, 'validation_error', message));
export const missing = (what: string, id: string): SaidNo =>
  new SaidNo(
    no(
      404,
      'object_not_found',
      `Could not find ${what} with ID: ${id}. Make sure the relevant pages and databases are shared with your integration.`,
    ),
  );

let made = 1000;
export const fresh = (): string => `99999999-0000-4000-8000-${String(++made).padStart(12, '0')}`;

type SentRun = { text: { content: string; link?: { url: string } | null } };
export function checkedRuns(given: unknown): SentRun[] {
  const runs = given as SentRun[];
  if (!Array.isArray(given)) throw invalid('body failed validation: rich_text should be an array');
  if (runs.length > 100) throw invalid(`body.rich_text.length should be ≤ \`100\`, instead was \`${runs.length}\``);
  for (const run of runs) {
    if (run.text.content.length > 2000)
      throw invalid(`text.content.length should be ≤ \`2000\`, instead was \`${run.text.content.length}\``);
    if (!run.text.content.isWellFormed()) throw invalid('text.content should be valid Unicode');
    if (run.text.link && !/^(https?|mailto):/.test(run.text.link.url)) throw invalid('Invalid URL for link.');
  }
  return runs;
}

type SentBlock = { object: 'block'; type: string; [type: string]: unknown };
export function insert(w: NotionWorld, parent: string, given: unknown, position: unknown, depth = 1): NotionBlock[] {
  const children = given as SentBlock[];
  if (!Array.isArray(given) || children.length === 0) throw invalid('body.children should be a list of blocks');
  if (children.length > 100)
    throw invalid(
      `body failed validation: body.children.length should be ≤ \`100\`, instead was \`${children.length}\``,
    );
  if (depth > 3) throw invalid('body.children are nested more than two levels');
  const at = position as { type: string; after_block?: { id: string } } | undefined;
  const blocks = children.map((c) => {
    const { children: below, ...content } = c[c.type] as { children?: unknown; rich_text?: unknown };
    if (content.rich_text !== undefined) {
      const runs = checkedRuns(content.rich_text);
      content.rich_text = runs.map((x) => rich(x.text.content, x.text.link?.url ?? null));
    }
    const block: NotionBlock = { id: fresh(), parent, type: c.type, content };
    return { block, below };
  });
  const siblings = w.blocks.filter((b) => b.parent === parent);
  const before =
    at?.type === 'start'
      ? siblings[0]
      : at?.type === 'after_block'
        ? siblings[siblings.findIndex((b) => b.id === at.after_block?.id) + 1]
        : undefined;
  if (at?.type === 'after_block' && !siblings.some((b) => b.id === at.after_block?.id))
    throw invalid('position.after_block.id is not a child of the parent');
  w.blocks.splice(before ? w.blocks.indexOf(before) : w.blocks.length, 0, ...blocks.map((b) => b.block));
  for (const b of blocks) if (b.below !== undefined) insert(w, b.block.id, b.below, undefined, depth + 1);
  return blocks.map((b) => b.block);
}

export function setProperties(page: NotionPage, source: NotionSource | undefined, given: unknown): void {
  for (const [name, value] of Object.entries((given ?? {}) as Record<string, Record<string, unknown>>)) {
    const type = source ? source.types[name]?.type : name === 'title' ? 'title' : undefined;
    if (type === undefined) throw invalid(`${name} is not a property that exists.`);
    if (!(type in value)) throw invalid(`${name} is expected to be ${type}.`);
    if (type === 'formula') throw invalid(`${name} is a formula and cannot be written.`);
    const options = source?.types[name]?.options;
    const choice = (value[type] as { name?: string } | null)?.name;
    if (type === 'status' && choice !== undefined && !options?.includes(choice))
      throw invalid(`Invalid status option. Status option "${choice}" does not exist.`);
    page.properties[name] = {
      type,
      [type]: type === 'title' ? checkedRuns(value[type]).map((x) => rich(x.text.content)) : value[type],
    };
  }
}

export function holds(source: NotionSource, p: NotionPage, filter: unknown): boolean {
  if (filter === undefined) return true;
  const f = filter as { and?: unknown[]; or?: unknown[]; property?: string } & Record<string, Record<string, unknown>>;
  if (f.and) return f.and.every((x) => holds(source, p, x));
  if (f.or) return f.or.some((x) => holds(source, p, x));
  const name = String(f.property);
  const type = source.types[name]?.type;
  if (type === undefined || !(type in f)) throw invalid(`Could not find property with name or id: ${name}`);
  const [[condition, wanted] = ['', undefined]] = Object.entries(f[type] ?? {});
  const value = p.properties[name]?.[type];
  const plain = Array.isArray(value)
    ? JSON.stringify(value)
    : (((value as { name?: string; start?: string } | null)?.name ??
        (value as { start?: string } | null)?.start ??
        value) as string | number | undefined);
  switch (condition) {
    case 'equals':
      return plain === wanted;
    case 'contains':
      return String(plain).includes(String(wanted));
    case 'greater_than':
      return Number(plain) > Number(wanted);
    case 'is_empty':
      return value === undefined || value === null;
    case 'before':
      return typeof plain === 'string' && plain < String(wanted);
    default:
      throw invalid(`body.filter.${type}.${condition} should be not present`);
  }
}
