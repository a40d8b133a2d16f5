import { couldMatchBelow, nameMatches, pathGlob, prefixesMatched, type PathGlob } from './path-glob.ts';
import { foldedText, MAX_PATH, spellingsOf } from './path-spelling.ts';

/** What an administrator says about files that nobody may see or change through this connector. */
export type PathLimits = {
  /** Files that hold credentials by their name (below) are withheld. */
  standard: boolean;
  deny: readonly string[];
  /** Exceptions from what is withheld. They do not open a file in a folder that is withheld as a whole. */
  except: readonly string[];
  /** Where there are some: these and nothing else. */
  only: readonly string[];
};

export type PathRules = { deny: GlobSet; except: GlobSet; only: readonly PathGlob[] };

/** Files that hold credentials by convention. */
export const standardDeny = [
  '.env*',
  '*.env',
  '*.pem',
  '*.key',
  '*.p12',
  '*.pfx',
  '*.jks',
  '*.keystore',
  '*.kdbx',
  '*.ppk',
  'id_rsa*',
  'id_dsa*',
  'id_ecdsa*',
  'id_ed25519*',
  '**/.ssh/**',
  '**/.aws/**',
  '.npmrc',
  '.yarnrc.yml',
  '.pypirc',
  '.netrc',
  '_netrc',
  '.pgpass',
  '.my.cnf',
  '.git-credentials',
  '.htpasswd',
  '.dockercfg',
  '**/.docker/config.json',
  'credentials*',
  'service-account*.json',
  '*.tfstate',
  '*.tfstate.*',
  '*.tfvars',
  'kubeconfig',
  '**/.kube/config',
] as const;
const standardExcept = ['.env.example', '.env.sample', '.env.template', '.env.dist', '*.tfvars.example'] as const;

/** Who changes these changes what runs with the repository's secrets, who must look at a change, or what a checkout fetches. */
const guarded = ['.github/workflows/**', '.github/actions/**', 'CODEOWNERS', '.gitmodules'] as const;

const exact = (globs: readonly string[]): PathGlob[] => globs.map((g) => pathGlob(g, (t) => t.normalize('NFC')));

export const pathRules = (limits: PathLimits): PathRules => ({
  deny: globSet([...(limits.standard ? standardDeny : []), ...limits.deny]),
  except: globSet([...(limits.standard ? standardExcept : []), ...limits.except]),
  only: exact(limits.only),
});

const guardedGlobs = globSet(guarded);

/**
 * Whether a path (from the arguments, or as git has it in any commit) is withheld. INVARIANT (no spelling slips through): it is, if it is in any
 * spelling that a system on the way could take it for. So a name that only looks like a withheld one is withheld too; that is the cheap mistake.
 */
export function isWithheld(rules: PathRules, path: string): boolean {
  if (path.length > MAX_PATH) return true;
  const spellings = spellingsOf(path);
  if (!spellings || spellings.some((names) => denied(rules, names))) return true;
  if (rules.only.length === 0) return false;
  const names = path.normalize('NFC').split('/');
  return !rules.only.some((g) => prefixesMatched(g, names).includes(true));
}

/** Whether a folder may be gone into: it is not withheld itself, and what may be seen can be below it. */
export function mayEnter(rules: PathRules, folder: string): boolean {
  if (folder === '') return true;
  const names = folder.normalize('NFC').split('/');
  const only = { ...rules, only: [] };
  return (
    !isWithheld(only, folder) &&
    (rules.only.length === 0 || !isWithheld(rules, folder) || rules.only.some((g) => couldMatchBelow(g, names)))
  );
}

/** Whether writing there needs more than the right to write: workflows, owners of code, submodules. */
export function isGuarded(path: string): boolean {
  const spellings = spellingsOf(path);
  return !spellings || spellings.some((names) => hitsOf(guardedGlobs, names, matched).size > 0);
}

/** A glob `folder/**` is about the folder itself too, but only where that is what was asked for, so that there can be exceptions below it. */
function matched(glob: PathGlob, names: readonly string[]): boolean[] {
  const found = prefixesMatched(glob, names);
  if (glob.below && names.length > 0 && !found.includes(true))
    found[names.length] = prefixesMatched(glob, [...names, '']).at(-1) ?? false;
  return found;
}

/** A beginning of the path that is denied and not excepted denies all of it. */
function denied(rules: PathRules, names: readonly string[]): boolean {
  const hits = hitsOf(rules.deny, names, matched);
  if (hits.size === 0) return false;
  for (const i of hitsOf(rules.except, names, prefixesMatched)) hits.delete(i);
  return hits.size > 0;
}

/** Names that are remembered for a set of globs. */
const MAX_KNOWN = 20_000;

/**
 * Globs, those about a name in any folder apart: most are, and the same names come again and again in a tree of a hundred thousand files, so that
 * each is looked at once.
 */
export type GlobSet = {
  all: readonly PathGlob[];
  ofNames: readonly string[];
  others: readonly PathGlob[];
  known: Map<string, boolean>;
};

function globSet(globs: readonly string[]): GlobSet {
  const all = globs.map((g) => pathGlob(g, foldedText));
  const nameOf = ({ names: [any, name, ...more] }: PathGlob): string | undefined =>
    any === undefined && more.length === 0 ? name : undefined;
  return {
    all,
    ofNames: all.flatMap((g) => nameOf(g) ?? []),
    others: all.filter((g) => nameOf(g) === undefined),
    known: new Map(),
  };
}

/** The lengths of the beginnings of a path that some glob of the set matches. */
function hitsOf(set: GlobSet, names: readonly string[], match: typeof prefixesMatched): Set<number> {
  const hits = new Set<number>();
  for (const [i, name] of names.entries()) {
    let hit = set.known.get(name);
    if (hit === undefined) {
      hit = set.ofNames.some((g) => nameMatches(g, name));
      if (set.known.size >= MAX_KNOWN) set.known.clear();
      set.known.set(name, hit);
    }
    if (hit) hits.add(i + 1);
  }
  for (const glob of set.others)
    if (glob.literal === undefined || names.includes(glob.literal))
      for (const [i, hit] of match(glob, names).entries()) if (hit) hits.add(i);
  return hits;
}
