import { setImmediate as others } from 'node:timers/promises';
import { z } from 'zod';
import { MiB } from '#kernel/limits.ts';
import { toText } from '../../content/to-text.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { withheldLine } from './changed-files.ts';
import { commitOf, findAt, notThere, PathArg, readBlob, readTree, RefArg, type TreeEntry } from './git-walk.ts';
import { ask, nextPage } from './github-api.ts';
import { oneLine, pathLine } from './lines.ts';
import { nextFact, nextLine, PageArg } from './paging.ts';
import { isWithheld, mayEnter } from './path-rule.ts';
import { openRepository, RepositoryArg, type OpenRepository } from './repository.ts';
import { limitsOf } from './settings.ts';

/** Larger than any text that a model can use at once. */
const MAX_FILE_BYTES = 2 * MiB;
const MAX_LINES = 2000;
/** Entries of one answer about a tree. */
const TREE_PAGE = 1000;

const Repositories = z.array(
  z.looseObject({
    full_name: z.string(),
    private: z.boolean(),
    visibility: z.string().optional(),
    description: z.string().nullish(),
    default_branch: z.string(),
    archived: z.boolean().optional(),
    owner: z.looseObject({ login: z.string() }),
    name: z.string(),
  }),
);

export const listRepositories = builtinTool({
  name: 'list_repositories',
  title: 'List repositories',
  description:
    'Lists the repositories that the other tools may touch, with visibility and default branch. A page may be empty while there are more.',
  input: z.strictObject({ page: PageArg }),
  class: 'read',
  projection: [],
  scopes: [],
  brings: ['private'],
  outward: false,
  async run(call, { page }) {
    const limits = limitsOf(call.settings);
    const installed = call.actAs !== 'person';
    const answer = await ask(call.vendor, {
      method: 'GET',
      path: installed ? '/installation/repositories' : '/user/repos',
      query: { per_page: 100, page },
    });
    const body = answer.json();
    const all = installed
      ? z.looseObject({ repositories: Repositories }).parse(body).repositories
      : Repositories.parse(body);
    const repositories = all.filter((r) => limits.allows(r.owner.login, r.name));
    const next = nextPage(answer);
    return textAnswer(
      [
        ...repositories.map(
          (r) =>
            `${r.full_name} (${r.visibility ?? (r.private ? 'private' : 'public')}, ${r.default_branch}${r.archived === true ? ', archived' : ''}) ${oneLine(r.description)}`,
        ),
        ...(repositories.length === 0 ? ['No repository on this page may be touched.'] : []),
        ...nextLine(next),
      ],
      {
        repositories: repositories.map((r) => ({
          repository: r.full_name,
          private: r.private,
          default_branch: r.default_branch,
        })),
        ...nextFact(next),
      },
    );
  },
});

export const readFile = builtinTool({
  name: 'read_file',
  title: 'Read a file',
  description: `Reads a file of a repository at a branch, tag or commit: text as it is, and the text of PDF, Word, Excel and PowerPoint documents. Symbolic links within the repository are followed; submodules are not. At most ${MAX_FILE_BYTES / MiB} MiB; for long files ask for a part by lines. Some files are withheld by the organization's rules.`,
  input: z.strictObject({
    repository: RepositoryArg,
    path: PathArg.min(1),
    ref: RefArg,
    from_line: z.number().int().min(1).default(1).describe('First line to show'),
    lines: z.number().int().min(1).max(MAX_LINES).default(MAX_LINES).describe('How many lines at most'),
  }),
  class: 'read',
  projection: [
    { kind: 'repository', at: '/repository' },
    { kind: 'path', at: '/path' },
  ],
  scopes: [],
  brings: ['private', 'untrusted'],
  outward: false,
  async run(call, a) {
    const r = await openRepository(call, a.repository, { contents: 'read' });
    const commit = await commitOf(r, a.ref);
    const found = await findAt(r, commit, a.path);
    if (found.kind !== 'file') throw notThere('such file at that commit; it is a folder');
    if ((found.size ?? 0) > MAX_FILE_BYTES)
      throw new VendorRefusal(
        0,
        'too_large',
        `${pathLine(found.path)} has ${found.size} bytes, and at most ${MAX_FILE_BYTES} are read`,
      );
    const bytes = await readBlob(r, found.blob);
    const facts = { repository: r.full, path: found.path, commit, bytes: bytes.length };
    // Source is shown as it is, byte for byte; what is no UTF-8 may be a document with text in it.
    const plain = asText(bytes);
    const document =
      plain === undefined ? await toText({ bytes, name: found.path }, {}, { signal: call.signal }) : undefined;
    const all = (plain ?? document?.text ?? '').split('\n');
    const part = all.slice(a.from_line - 1, a.from_line - 1 + a.lines);
    const last = a.from_line - 1 + part.length;
    return textAnswer(
      [
        ...part,
        ...(last < all.length
          ? [`(lines ${a.from_line} to ${last} of ${all.length}; go on with from_line ${last + 1})`]
          : []),
        ...(document?.notes ?? []).map((n) => `(${n})`),
        ...(document?.truncated === true ? ['(there is more text in the document than is read)'] : []),
      ],
      { ...facts, ...(document ? { read_as: document.kind } : {}), total_lines: all.length },
      { ask: 'ask for fewer lines' },
    );
  },
});

function asText(bytes: Buffer): string | undefined {
  if (bytes.includes(0) || bytes.subarray(0, 1024).includes('%PDF-')) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export const listTree = builtinTool({
  name: 'list_tree',
  title: 'List files',
  description: `Lists the files and folders of a repository below a path, at a branch, tag or commit; ${TREE_PAGE} at a time. Says how many files were withheld by the organization's rules.`,
  input: z.strictObject({
    repository: RepositoryArg,
    path: PathArg.default('').describe('A folder; left out: the root'),
    ref: RefArg,
    recursive: z.boolean().default(false).describe('Also what is in folders below'),
    page: PageArg,
  }),
  class: 'read',
  projection: [
    { kind: 'repository', at: '/repository' },
    { kind: 'path', at: '/path' },
  ],
  scopes: [],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, a) {
    const r = await openRepository(call, a.repository, { contents: 'read' });
    const commit = await commitOf(r, a.ref);
    const found = await findAt(r, commit, a.path);
    if (found.kind !== 'folder') throw notThere('such folder at that commit; it is a file');
    const tree = await readTree(r, found.tree, a.recursive);
    const { shown, withheld } = await shownEntries(r, found.path, tree.tree, call.signal);
    const page = shown.slice((a.page - 1) * TREE_PAGE, a.page * TREE_PAGE);
    const next = shown.length > a.page * TREE_PAGE ? a.page + 1 : undefined;
    return textAnswer(
      [
        ...page.map(
          (e) =>
            `${pathLine(e.path)}${e.kind === 'file' ? ` (${e.size ?? 0} bytes)` : e.kind === 'folder' ? '/' : ` (${e.kind})`}`,
        ),
        ...(page.length === 0 ? ['There is nothing to show here.'] : []),
        ...withheldLine(withheld),
        ...(tree.truncated === true ? ['(GitHub shows only a part of a tree this large; ask folder by folder)'] : []),
        ...nextLine(next),
      ],
      { repository: r.full, commit, withheld, truncated: tree.truncated === true, ...nextFact(next) },
    );
  },
});

type Entry = { path: string; kind: 'file' | 'folder' | 'link' | 'submodule'; size: number | undefined };

/** Entries that are looked at before others are served. */
const AT_ONCE = 1000;

/** The entries that may be seen, by their whole paths. Of what is withheld only files are counted, so that the number says nothing of how they lie. */
async function shownEntries(
  r: OpenRepository,
  folder: string,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<{ shown: Entry[]; withheld: number }> {
  let withheld = 0;
  const shown: Entry[] = [];
  for (const [i, e] of entries.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await others(undefined, { signal });
    const path = folder === '' ? e.path : `${folder}/${e.path}`;
    if (e.mode === '040000') {
      if (mayEnter(r.limits.paths, path)) shown.push({ path, kind: 'folder', size: undefined });
    } else if (isWithheld(r.limits.paths, path)) withheld++;
    else {
      const kind = e.mode === '120000' ? 'link' : e.mode === '160000' ? 'submodule' : 'file';
      shown.push({ path, kind, size: e.size });
    }
  }
  return { shown, withheld };
}
