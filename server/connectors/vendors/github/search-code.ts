import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { withheldLine } from './changed-files.ts';
import { admittedPath } from './git-walk.ts';
import { ask, nextPage } from './github-api.ts';
import { pathLine, quoted } from './lines.ts';
import { nextFact, nextLine, PageArg } from './paging.ts';
import { isWithheld } from './path-rule.ts';
import { openRepository, RepositoryArg, type OpenRepository } from './repository.ts';
import { limitsOf, type Limits } from './settings.ts';

/** GitHub takes 256 characters beside the qualifiers. */
const MAX_QUERY = 256;
/** GitHub answers 10 searches for code a minute. Each repository is asked about first. */
const MAX_REPOSITORIES = 5;

const Found = z.looseObject({
  total_count: z.number(),
  incomplete_results: z.boolean(),
  items: z.array(
    z.looseObject({
      path: z.string(),
      repository: z.looseObject({ full_name: z.string() }),
      text_matches: z
        .array(
          z.looseObject({ property: z.string().optional(), object_type: z.string().nullish(), fragment: z.string() }),
        )
        .optional(),
    }),
  ),
});

export const searchCode = builtinTool({
  name: 'search_code',
  title: 'Search code',
  description: `Searches the default branches of up to ${MAX_REPOSITORIES} repositories for words in files, and shows the places. Words are looked for as they are: put quotes around what has a colon. GitHub allows about 10 such searches a minute and finds only files below 384 KB. Files that are withheld by the organization's rules are left out.`,
  input: z.strictObject({
    repositories: z.array(RepositoryArg).min(1).max(MAX_REPOSITORIES).describe('Where to search'),
    query: z.string().min(1).max(MAX_QUERY).describe('Words, or "a phrase" in quotes'),
    folder: z.string().max(300).optional().describe('Only below this folder'),
    extension: z
      .string()
      .regex(/^[A-Za-z0-9+_-]{1,20}$/)
      .optional()
      .describe('Only files with this ending, without the dot'),
    language: z
      .string()
      .regex(/^[A-Za-z0-9+#.-]{1,40}$/)
      .optional()
      .describe('Only files in this language'),
    page: PageArg,
  }),
  class: 'read',
  projection: [
    { kind: 'repository', at: '/repositories/*' },
    { kind: 'text', at: '/query' },
  ],
  scopes: [],
  brings: ['private', 'untrusted'],
  outward: false,
  async run(call, a) {
    const opened: OpenRepository[] = [];
    for (const name of new Set(a.repositories)) opened.push(await openRepository(call, name, { contents: 'read' }));
    const [first] = opened;
    if (!first) throw new Error('the schema lets no empty list through');
    // GitHub's index is of whole repositories, so the credential must reach all of these and no more.
    const owners = new Set(opened.map((r) => r.owner.toLowerCase()));
    const vendor =
      owners.size === 1
        ? call.vendor.narrowed({
            owner: [...owners].join(''),
            repositories: opened.map((r) => r.name.toLowerCase()).sort(),
            permissions: { metadata: 'read', contents: 'read' },
          })
        : call.vendor;
    const limits = limitsOf(call.settings);
    const folder = a.folder === undefined ? undefined : admittedPath(first, a.folder);
    const q = [
      plainQuery(a.query),
      ...opened.map((r) => `repo:${r.full}`),
      ...(folder === undefined || folder === '' ? [] : [`path:${asPhrase(folder)}`]),
      ...(a.extension === undefined ? [] : [`extension:${a.extension}`]),
      ...(a.language === undefined ? [] : [`language:${a.language}`]),
      ...withoutWithheld(limits),
    ].join(' ');
    const answer = await ask(vendor, {
      method: 'GET',
      path: '/search/code',
      query: { q, per_page: 30, page: a.page },
      headers: { accept: 'application/vnd.github.text-match+json' },
    });
    const found = Found.parse(answer.json());
    // INVARIANT (after, not only before): what the qualifiers did not keep out is kept out here, by the names in the answer.
    const ours = found.items.filter((i) =>
      opened.some((r) => r.full.toLowerCase() === i.repository.full_name.toLowerCase()),
    );
    const shown = ours.filter((i) => !isWithheld(limits.paths, i.path));
    const next = nextPage(answer);
    return textAnswer(
      [
        ...shown.flatMap((i) => [
          `## ${i.repository.full_name}: ${pathLine(i.path)}`,
          ...(i.text_matches ?? [])
            .filter((m) => m.property === 'content')
            .flatMap((m) => [...quoted(m.fragment), '...']),
        ]),
        ...(shown.length === 0 ? ['Nothing was found on this page.'] : []),
        ...withheldLine(ours.length - shown.length),
        ...(found.incomplete_results ? ['(GitHub did not search everything in time)'] : []),
        ...nextLine(next),
      ],
      {
        files: shown.map((i) => ({ repository: i.repository.full_name, path: i.path })),
        withheld: ours.length - shown.length,
        ...nextFact(next),
      },
    );
  },
});

/** Words and phrases only. A qualifier (`repo:`, `path:`, `user:`) would be about more than the tool's own arguments, which rules have seen. */
function plainQuery(query: string): string {
  const outside = query.replaceAll(/"[^"]*"/g, ' ');
  if (outside.includes('"') || /[A-Za-z_-]+:/.test(outside) || /\p{Cc}/u.test(query))
    throw new Problem('invalid', 'connectors/github-query', {
      says: 'the query has a qualifier or half of a pair of quotes in it',
      fix: 'give words; put quotes around text that has a colon in it; use the other arguments for folder, extension and language',
    });
  return query;
}

const asPhrase = (text: string): string => `"${text.replaceAll('"', '')}"`;

/** As many of the rules as GitHub can understand, so that pages are not emptied here and what is withheld is not even found. */
function withoutWithheld(limits: Limits): string[] {
  return limits.paths.deny.all
    .flatMap(({ names }) => {
      const plain = names.filter((n) => n !== undefined);
      const [name] = plain;
      if (plain.length !== 1 || names[0] !== undefined || name === undefined) return [];
      const extension = /^\*\.([a-z0-9]+)$/.exec(name)?.[1];
      if (extension !== undefined && limits.paths.except.all.every((e) => !e.names.at(-1)?.endsWith(`.${extension}`)))
        return [`-extension:${extension}`];
      return /^[a-z0-9._-]+$/.test(name) && names.at(-1) === name ? [`-filename:${name}`] : [];
    })
    .slice(0, 30);
}
