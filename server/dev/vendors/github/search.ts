import type { Said } from '../vendor-server.ts';
import { paged, shownRepository } from './api.ts';
import { problem, reachOf, type Bearer } from './tokens.ts';
import type { GitHubWorld } from './world.ts';

const MAX_INDEXED = 384 * 1024;

/** GET /search/code, the older engine that the REST API has: docs.github.com/rest/search. Default branches only. */
export function searchCode(
  world: GitHubWorld,
  bearer: Bearer,
  query: URLSearchParams,
  address: string,
  accept: string,
): Said {
  const parts = (query.get('q') ?? '').match(/[+-]?[a-z]+:"[^"]*"|"[^"]*"|\S+/gi) ?? [];
  const qualifiers = parts.flatMap((p) => {
    const [, minus, key, value] = /^([+-]?)([a-z]+):"?([^"]*)"?$/i.exec(p) ?? [];
    return key === undefined || value === undefined
      ? []
      : [{ not: minus === '-', key: key.toLowerCase(), value: value.toLowerCase() }];
  });
  const words = parts.filter((p) => !/^[+-]?[a-z]+:/i.test(p)).map((p) => p.replaceAll('"', '').toLowerCase());
  if (words.join(' ').trim() === '')
    return problem(422, 'Validation Failed', [
      {
        message: 'Search text is required when searching source code.',
        resource: 'Search',
        field: 'q',
        code: 'missing',
      },
    ]);
  if (words.join(' ').length > 256)
    return problem(422, 'Validation Failed', [
      { message: 'The search is longer than 256 characters.', resource: 'Search', field: 'q', code: 'invalid' },
    ]);
  const wanted = qualifiers.filter((q) => q.key === 'repo' && !q.not).map((q) => q.value);
  const searched = world.repositories.filter(
    (r) => wanted.includes(`${r.owner}/${r.name}`.toLowerCase()) && reachOf(bearer, r, world) !== 'none',
  );
  if (wanted.length > 0 && searched.length === 0)
    return problem(422, 'Validation Failed', [
      {
        message:
          'The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them.',
        resource: 'Search',
        field: 'q',
        code: 'invalid',
      },
    ]);
  const fits = (path: string): boolean =>
    qualifiers.every(({ not, key, value }) => {
      if (not && !world.searchKnowsExclusions) return true;
      const p = path.toLowerCase();
      const hit =
        key === 'extension'
          ? p.endsWith(`.${value}`)
          : key === 'filename'
            ? p.split('/').at(-1) === value
            : key === 'path'
              ? p.startsWith(`${value}/`)
              : undefined;
      return hit === undefined ? true : hit !== not;
    });
  const hits = searched.flatMap((r) => {
    const tree = r.git.commit(r.branches.get(r.defaultBranch) ?? '')?.tree;
    return [...(tree === undefined ? [] : r.git.files(tree))].flatMap(([path, e]) => {
      const text =
        e.mode === '100644' || e.mode === '100755' ? (r.git.read(e.sha, 'blob')?.toString('utf8') ?? '') : '';
      if (
        text.length > MAX_INDEXED ||
        !fits(path) ||
        !words.every((w) => text.toLowerCase().includes(w) || path.toLowerCase().includes(w))
      )
        return [];
      const at = Math.max(0, text.toLowerCase().indexOf(words[0] ?? ''));
      return [{ r, path, sha: e.sha, fragment: text.slice(Math.max(0, at - 60), at + 120) }];
    });
  });
  return paged(hits, query, address, (page) => ({
    total_count: hits.length,
    incomplete_results: false,
    items: page.map((h) => ({
      name: h.path.split('/').at(-1),
      path: h.path,
      sha: h.sha,
      repository: shownRepository(h.r, ''),
      ...(accept.includes('text-match')
        ? { text_matches: [{ object_type: 'FileContent', property: 'content', fragment: h.fragment, matches: [] }] }
        : {}),
    })),
  }));
}
