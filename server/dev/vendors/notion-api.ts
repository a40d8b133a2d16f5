// Notion's API of the version 2026-03-11 as documented (developers.notion.com/reference: versioning, status-codes, request-limits, search, pages,
// blocks, data sources, comments): pages of at most 100, blocks of at most 100 a request and two levels deep, ids of what is not shared are not
// found. Of filters it knows equals, contains and greater_than; anything else is a validation_error as one that does not exist would be.
import { checkedRuns, fresh, holds, insert, invalid, missing, no, SaidNo, setProperties } from './notion-changes.ts';
import {
  rich,
  titled,
  type NotionBlock,
  type NotionPage,
  type NotionSource,
  type NotionWorld,
} from './notion-world.ts';
import { header, type Said } from './vendor-server.ts';
import type { SeenRequest } from './vendor-stand-in.ts';

/** Whether a thing or something above it was shared with the integration. */
function isShared(w: NotionWorld, id: string | undefined): boolean {
  if (id === undefined) return false;
  if (w.shared.has(id)) return true;
  const page = w.pages.find((p) => p.id === id);
  if (page) return isShared(w, page.parent.page) || isShared(w, page.parent.source);
  const source = w.sources.find((s) => s.id === id);
  if (source) return isShared(w, source.database);
  return isShared(w, w.blocks.find((b) => b.id === id)?.parent);
}

const pageObject = (p: NotionPage): Record<string, unknown> => ({
  object: 'page',
  id: p.id,
  url: `https://www.notion.so/${p.id.replaceAll('-', '')}`,
  public_url: p.public ?? null,
  in_trash: p.trash === true,
  last_edited_time: p.edited,
  properties: p.properties,
  parent: p.parent.source
    ? { type: 'data_source_id', data_source_id: p.parent.source }
    : p.parent.page
      ? { type: 'page_id', page_id: p.parent.page }
      : { type: 'workspace', workspace: true },
});
const sourceObject = (s: NotionSource): Record<string, unknown> => ({
  object: 'data_source',
  id: s.id,
  title: [rich(s.title)],
  properties: Object.fromEntries(
    Object.entries(s.types).map(([name, t]) => [
      name,
      {
        id: name,
        name,
        type: t.type,
        [t.type]: t.options ? { options: t.options.map((o) => ({ id: o, name: o })) } : {},
      },
    ]),
  ),
  parent: { type: 'database_id', database_id: s.database },
});
const blockObject = (w: NotionWorld, b: NotionBlock): Record<string, unknown> => ({
  object: 'block',
  id: b.id,
  type: b.type,
  has_children: b.type === 'child_page' || w.blocks.some((x) => x.parent === b.id),
  in_trash: false,
  [b.type]: b.content,
});

function list(
  all: readonly unknown[],
  of: { size: string | number | null | undefined; cursor: string | null | undefined },
): Said {
  const size = of.size === null || of.size === undefined ? 100 : Number(of.size);
  if (!(size >= 1 && size <= 100)) throw invalid('body failed validation: body.page_size should be ≤ `100`');
  const at = of.cursor === null || of.cursor === undefined ? 0 : Number(/^c-(\d+)$/.exec(of.cursor)?.[1]);
  if (Number.isNaN(at)) throw invalid(`The start_cursor provided is invalid: ${of.cursor}`);
  const has_more = at + size < all.length;
  return {
    json: {
      object: 'list',
      results: all.slice(at, at + size),
      has_more,
      next_cursor: has_more ? `c-${at + size}` : null,
    },
  };
}

export function answerNotion(w: NotionWorld, r: SeenRequest): Said {
  if (header(r, 'notion-version') === undefined)
    return no(
      400,
      'missing_version',
      'Notion-Version header failed validation: Notion-Version header should be defined',
    );
  if (header(r, 'notion-version') !== '2026-03-11')
    return no(400, 'validation_error', 'Notion-Version header failed validation');
  if (r.body.length > 500 * 1024) return no(413, 'validation_error', 'Request body too large');
  try {
    return route(w, r);
  } catch (e) {
    if (e instanceof SaidNo) return e.said;
    throw e;
  }
}

type Capability = NotionWorld['capabilities'] extends Set<infer C> ? C : never;

function route(w: NotionWorld, r: SeenRequest): Said {
  const needs = (c: Capability): void => {
    if (!w.capabilities.has(c))
      throw new SaidNo(no(403, 'restricted_resource', 'Insufficient permissions for this endpoint.'));
  };
  const body = (): Record<string, unknown> => {
    if (!header(r, 'content-type')?.startsWith('application/json'))
      throw new SaidNo(no(400, 'invalid_json', 'Error parsing JSON body.'));
    return JSON.parse(r.body.toString('utf8')) as Record<string, unknown>;
  };
  const only = (b: Record<string, unknown>, ...names: string[]): void => {
    const unknown = Object.keys(b).find((k) => !names.includes(k));
    if (unknown !== undefined) throw invalid(`body failed validation: body.${unknown} should be not present`);
  };
  const found = <T extends { id: string }>(all: readonly T[], id: string, what: string): T => {
    const one = all.find((x) => x.id === id);
    if (!one || !isShared(w, id)) throw missing(what, id);
    return one;
  };
  const [, , kind = '', id = '', below] = r.path.split('/');
  const what = `${r.method} ${kind}${id === '' ? '' : '/:id'}${below === undefined ? '' : `/${below}`}`;
  switch (what) {
    case 'POST search': {
      needs('read');
      const b = body();
      only(b, 'query', 'filter', 'sort', 'start_cursor', 'page_size');
      const wanted = (b['filter'] as { value?: string } | undefined)?.value;
      if (wanted !== undefined && wanted !== 'page' && wanted !== 'data_source')
        throw invalid('body.filter.value should be "page" or "data_source"');
      const words = typeof b['query'] === 'string' ? b['query'].toLowerCase() : '';
      const all = [
        ...(wanted === 'data_source' ? [] : w.pages.filter((p) => isShared(w, p.id) && !p.trash).map(pageObject)),
        ...(wanted === 'page' ? [] : w.sources.filter((s) => isShared(w, s.id)).map(sourceObject)),
      ].filter((o) =>
        JSON.stringify(o['title'] ?? o['properties'])
          .toLowerCase()
          .includes(words),
      );
      return list(all, { size: b['page_size'] as number, cursor: b['start_cursor'] as string });
    }
    case 'GET pages/:id':
      needs('read');
      return { json: pageObject(found(w.pages, id, 'page')) };
    case 'GET databases/:id': {
      needs('read');
      const d = found(w.databases, id, 'database');
      return {
        json: {
          object: 'database',
          id,
          title: [rich(d.title)],
          public_url: d.public ?? null,
          data_sources: d.sources.map((s) => ({ id: s, name: d.title })),
        },
      };
    }
    case 'GET data_sources/:id':
      needs('read');
      return { json: sourceObject(found(w.sources, id, 'data source')) };
    case 'POST data_sources/:id/query': {
      needs('read');
      const source = found(w.sources, id, 'data source');
      const b = body();
      only(b, 'filter', 'sorts', 'start_cursor', 'page_size');
      const rows = w.pages.filter((p) => p.parent.source === id && holds(source, p, b['filter'])).map(pageObject);
      return list(rows, { size: b['page_size'] as number, cursor: b['start_cursor'] as string });
    }
    case 'GET blocks/:id/children': {
      needs('read');
      if (!isShared(w, id)) throw missing('block', id);
      return list(
        w.blocks.filter((x) => x.parent === id).map((x) => blockObject(w, x)),
        { size: r.query.get('page_size'), cursor: r.query.get('start_cursor') },
      );
    }
    case 'PATCH blocks/:id/children': {
      needs('insert');
      if (!isShared(w, id)) throw missing('block', id);
      const b = body();
      only(b, 'children', 'position');
      return {
        json: {
          object: 'list',
          results: insert(w, id, b['children'], b['position']).map((x) => blockObject(w, x)),
          has_more: false,
          next_cursor: null,
        },
      };
    }
    case 'POST pages': {
      needs('insert');
      const b = body();
      only(b, 'parent', 'properties', 'children', 'icon', 'cover');
      const parent = b['parent'] as { page_id?: string; data_source_id?: string };
      const [above, of] = [parent.page_id, parent.data_source_id];
      const source = of === undefined ? undefined : found(w.sources, of, 'data source');
      if (above !== undefined) found(w.pages, above, 'page');
      const page: NotionPage = {
        id: fresh(),
        parent: source ? { source: source.id } : { page: above ?? '' },
        properties: source ? {} : titled(''),
        edited: '2026-11-20T10:00:00.000Z',
      };
      setProperties(page, source, b['properties']);
      w.pages.push(page);
      if (b['children'] !== undefined) insert(w, page.id, b['children'], undefined);
      return { json: pageObject(page) };
    }
    case 'PATCH pages/:id': {
      needs('update');
      const page = found(w.pages, id, 'page');
      const b = body();
      only(b, 'properties', 'in_trash', 'icon', 'cover');
      setProperties(
        page,
        w.sources.find((s) => s.id === page.parent.source),
        b['properties'],
      );
      return { json: pageObject(page) };
    }
    case 'GET comments':
      needs('read_comments');
      return list(
        w.comments
          .filter((c) => c.page === r.query.get('block_id'))
          .map((c) => ({ object: 'comment', id: c.id, discussion_id: c.discussion, rich_text: [rich(c.text)] })),
        { size: r.query.get('page_size'), cursor: r.query.get('start_cursor') },
      );
    case 'POST comments': {
      needs('insert_comments');
      const b = body();
      only(b, 'parent', 'discussion_id', 'rich_text');
      const discussion = b['discussion_id'] as string | undefined;
      const page =
        discussion === undefined
          ? (b['parent'] as { page_id: string }).page_id
          : (w.comments.find((c) => c.discussion === discussion)?.page ?? '');
      found(w.pages, page, 'page');
      const runs = checkedRuns(b['rich_text']);
      const comment = {
        id: fresh(),
        page,
        discussion: discussion ?? fresh(),
        text: runs.map((x) => x.text.content).join(''),
        links: runs.flatMap((x) => x.text.link?.url ?? []),
      };
      w.comments.push(comment);
      return { json: { object: 'comment', id: comment.id, discussion_id: comment.discussion } };
    }
    default:
      return no(400, 'invalid_request_url', 'Invalid request URL.');
  }
}
