import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { segment } from '../../kit/vendor-path.ts';
import { ask } from './github-api.ts';
import { isWithheld, mayEnter } from './path-rule.ts';
import { readRepositoryPath } from './path-spelling.ts';
import type { OpenRepository } from './repository.ts';

/** As git does. More links than that lead in a circle, or somebody plays. */
const MAX_LINKS = 20;
/** Longer is no target of a link. */
const MAX_LINK_BYTES = 4096;

export const RefArg = z
  .string()
  .max(250)
  .optional()
  .describe('A branch, a tag or the SHA of a commit; left out: the default branch');

export const PathArg = z.string().max(4096).describe('A path from the root of the repository, e.g. src/index.ts');

const Tree = z.looseObject({
  sha: z.string(),
  truncated: z.boolean().optional(),
  tree: z.array(
    z.looseObject({
      path: z.string(),
      mode: z.string(),
      type: z.string(),
      sha: z.string(),
      size: z.number().optional(),
    }),
  ),
});
export type TreeRead = z.output<typeof Tree>;
export type TreeEntry = TreeRead['tree'][number];

const sha = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

export const withheld = (): Problem =>
  new Problem('forbidden', 'connectors/github-path', {
    says: '1 file was withheld: the path rules of this connector do not let anybody see or change it here',
    fix: 'do without it; an administrator can change the rules in the settings of the connector',
  });
export const notThere = (what: string): Problem =>
  new Problem('missing', 'connectors/github-no-file', {
    says: `there is no ${what}`,
    fix: 'list_tree shows what there is',
  });

/** A name of a branch or tag as git allows it, or a SHA. What git would take for an expression (`main:.env`, `HEAD^{tree}`) is refused. */
export function checkedRef(ref: string): string {
  if (
    ref === '' ||
    /[\s~^:?*[\\\p{Cc}\p{Cf}]|\.\.|@\{|\/\/|^[-/]|[/.]$|\.lock(?:\/|$)|(?:^|\/)\./u.test(ref) ||
    ref === '@'
  )
    throw new Problem('invalid', 'connectors/github-ref', {
      says: 'that is not the name of a branch or tag, and not the SHA of a commit',
      fix: 'give a plain name like main or feature/login, or the 40 digits of a SHA',
    });
  return ref;
}

/** The commit that a ref means now, so that all of a call is about one. INVARIANT: a SHA of a tree or of a file's content is no ref. */
export async function commitOf(r: OpenRepository, ref: string | undefined): Promise<string> {
  const answer = await ask(r.vendor, {
    method: 'GET',
    path: `${r.at}/commits/${segment(checkedRef(ref ?? r.defaultBranch))}`,
    headers: { accept: 'application/vnd.github.sha' },
  });
  const commit = answer.bytes.toString('utf8').trim();
  if (!sha.test(commit)) throw notThere('such commit');
  return commit;
}

/** The tree of a commit, from its root. */
export async function rootOf(r: OpenRepository, commit: string): Promise<string> {
  const known = r.roots.get(commit);
  if (known !== undefined) return known;
  const answer = await ask(r.vendor, { method: 'GET', path: `${r.at}/git/commits/${segment(commit)}` });
  const root = z.looseObject({ tree: z.looseObject({ sha: z.string().regex(sha) }) }).parse(answer.json()).tree.sha;
  r.roots.set(commit, root);
  return root;
}

export async function readTree(r: OpenRepository, tree: string, recursive: boolean): Promise<z.output<typeof Tree>> {
  const answer = await ask(r.vendor, {
    method: 'GET',
    path: `${r.at}/git/trees/${segment(tree)}`,
    ...(recursive ? { query: { recursive: '1' } } : {}),
    maxBytes: 16 * 1024 * 1024,
  });
  return Tree.parse(answer.json());
}

export async function readBlob(r: OpenRepository, blob: string): Promise<Buffer> {
  const answer = await ask(r.vendor, { method: 'GET', path: `${r.at}/git/blobs/${segment(blob)}` });
  const { content, encoding } = z.looseObject({ content: z.string(), encoding: z.string() }).parse(answer.json());
  return Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
}

/** What stands at a path, in git's own spelling. `linked`: the way went over a link. */
export type Found =
  | { kind: 'file'; path: string; blob: string; size: number | undefined; mode: string }
  | { kind: 'folder'; path: string; tree: string };

/** A path of the arguments, if it is one and is not withheld in any spelling. Asks nobody. */
export function admittedPath(r: OpenRepository, text: string): string {
  if (text !== '' && isWithheld({ ...r.limits.paths, only: [] }, text)) throw withheld();
  const read = readRepositoryPath(text);
  if ('says' in read)
    throw new Problem('invalid', 'connectors/github-path-form', {
      says: `the path ${read.says}`,
      fix: 'give it as list_tree shows it',
    });
  return read.path;
}

/**
 * Goes to a path name by name, as git would. INVARIANT (reached, not named): the only contents and folders that anybody gets are those whose
 * whole way from the root of a commit was looked at here, links included, each in git's own spelling. Nothing takes the SHA of a blob or a
 * tree from arguments, and GitHub resolves no path for us.
 */
export async function findAt(r: OpenRepository, commit: string, text: string): Promise<Found> {
  const rest = admittedPath(r, text)
    .split('/')
    .filter((n) => n !== '');
  const way: { name: string; tree: string }[] = [{ name: '', tree: await rootOf(r, commit) }];
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '' || name === '.') continue;
    const here = way.at(-1);
    if (name === '..' || !here) {
      if (way.length <= 1) throw leadsOut();
      way.pop();
      continue;
    }
    const entry = await entryOf(r, here.tree, name);
    const path = [...way.slice(1).map((w) => w.name), entry.path].join('/');
    switch (entry.mode) {
      case '040000':
        if (!mayEnter(r.limits.paths, path)) throw withheld();
        way.push({ name: entry.path, tree: entry.sha });
        break;
      case '120000': {
        if (isWithheld({ ...r.limits.paths, only: [] }, path)) throw withheld();
        if (++links > MAX_LINKS || (entry.size ?? 0) > MAX_LINK_BYTES) throw leadsOut();
        const target = (await readBlob(r, entry.sha)).toString('utf8');
        if (target.startsWith('/') || target === '') throw leadsOut();
        rest.unshift(...target.split('/'));
        break;
      }
      case '160000':
        throw new Problem('forbidden', 'connectors/github-submodule', {
          says: 'the path leads into a submodule, which is another repository',
          fix: 'read it in its own repository, if this connector may touch that',
        });
      default:
        if (isWithheld(r.limits.paths, path)) throw withheld();
        if (rest.some((n) => n !== '' && n !== '.'))
          throw new Problem('conflict', 'connectors/github-not-a-folder', {
            says: `${path} is a file, and the path goes on below it`,
            fix: 'list_tree shows what there is',
          });
        return { kind: 'file', path, blob: entry.sha, size: entry.size, mode: entry.mode };
    }
  }
  const path = way
    .slice(1)
    .map((w) => w.name)
    .join('/');
  return { kind: 'folder', path, tree: way.at(-1)?.tree ?? '' };
}

const leadsOut = (): Problem =>
  new Problem('forbidden', 'connectors/github-link', {
    says: 'the path goes over a symbolic link that leads out of the repository or in a circle',
    fix: 'give the path of a file itself',
  });

/** An entry of a folder by its name: git's very name, or the same text in another composition. */
async function entryOf(r: OpenRepository, tree: string, name: string): Promise<TreeEntry> {
  // What a SHA names does not change, so that a call asks for each folder once.
  const read = r.folders.get(tree) ?? (await readTree(r, tree, false));
  r.folders.set(tree, read);
  const { tree: entries, truncated } = read;
  const entry =
    entries.find((e) => e.path === name) ?? entries.find((e) => e.path.normalize('NFC') === name.normalize('NFC'));
  if (!entry)
    throw notThere(
      `such file or folder at that commit${truncated === true ? ' among those that GitHub shows of a folder this large' : ''}`,
    );
  return entry;
}
