import { z } from 'zod';
import type { Settings } from '#vault/vendor-auth.ts';
import { pathGlob, prefixesMatched, wrongPathGlob, type PathGlob } from './path-glob.ts';
import { pathRules, type PathRules } from './path-rule.ts';

const login = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/;

const PathRule = z
  .string()
  .superRefine((glob, c) => {
    const wrong = wrongPathGlob(glob);
    if (wrong !== undefined) c.addIssue({ code: 'custom', message: `the path rule ${wrong}` });
  })
  .describe('As in .gitignore: *, ? within a name, ** over folders; a name without a slash is meant in every folder');

/** What an administrator says about a GitHub connector. Nothing is open that is not named. */
export const GitHubSettings = z.strictObject({
  organizations: z
    .array(z.string().regex(login, 'expected the name of an organization as in github.com/<name>'))
    .min(1)
    .max(20)
    .describe('Organizations at GitHub whose members may connect their accounts, and whose installations are used'),
  account_suffix: z
    .string()
    .regex(/^[A-Za-z0-9]{1,20}$/, 'expected the short code of the enterprise, without the underscore')
    .optional()
    .describe(
      "For enterprise managed users: the short code that every account's name ends with, e.g. acme for ada_acme",
    ),
  repositories: z
    .array(
      z
        .string()
        .max(200)
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._*?-]+$/,
          'expected owner/name; in the name, * and ? stand for something',
        )
        .refine((g) => !g.includes('**'), '* is enough'),
    )
    .max(500)
    .default([])
    .describe('Repositories that tools may touch, as owner/name or owner/prefix-*; none until some are named'),
  standard_path_rules: z
    .boolean()
    .default(true)
    .describe('Withhold files that hold credentials by convention: .env, keys, credentials, state of Terraform'),
  deny_paths: z.array(PathRule).max(200).default([]).describe('More files that nobody may see or change'),
  except_paths: z.array(PathRule).max(200).default([]).describe('Files that are open all the same'),
  only_paths: z.array(PathRule).max(200).default([]).describe('If some are named: these files and nothing else'),
  public_writes: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe(
      'Whether tools may write to repositories that everybody can read; where allowed, the rules about outward actions hold',
    ),
  guarded_writes: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe('Whether tools may change workflows, actions, CODEOWNERS and .gitmodules'),
});
export type GitHubSettings = z.output<typeof GitHubSettings>;

/** The settings as a tool needs them. */
export type Limits = {
  settings: GitHubSettings;
  paths: PathRules;
  /** Whether tools may touch a repository at all. */
  allows(owner: string, name: string): boolean;
};

const known = new WeakMap<Settings, Limits>();

/** Prepared once for as long as the connector's settings stay the same object. */
export function limitsOf(settings: Settings): Limits {
  const before = known.get(settings);
  if (before) return before;
  const read = GitHubSettings.parse(settings);
  const lower = (t: string): string => t.toLowerCase();
  const repositories: PathGlob[] = read.repositories.map((g) => pathGlob(g, lower));
  const limits: Limits = {
    settings: read,
    paths: pathRules({
      standard: read.standard_path_rules,
      deny: read.deny_paths,
      except: read.except_paths,
      only: read.only_paths,
    }),
    allows: (owner, name) => repositories.some((g) => prefixesMatched(g, [lower(owner), lower(name)])[2] === true),
  };
  known.set(settings, limits);
  return limits;
}

/**
 * Why GitHub's own MCP server cannot keep these settings. It knows accounts and permissions; of paths and of our list of repositories it knows
 * nothing, so an administrator has to say first that neither is wanted.
 */
export function remoteRefuses(settings: Settings): string | undefined {
  const { paths, settings: s } = limitsOf(settings);
  const rules = [
    ...(paths.deny.all.length > 0 || paths.only.length > 0
      ? ['path rules (standard_path_rules, deny_paths, only_paths)']
      : []),
    ...(s.repositories.length > 0 ? ['the list of repositories'] : []),
  ];
  if (rules.length === 0) return undefined;
  return `GitHub's own MCP server cannot keep ${rules.join(' and ')}: it would show what they withhold. Use the built-in tools, or take these settings away and limit the app's installation at GitHub`;
}
