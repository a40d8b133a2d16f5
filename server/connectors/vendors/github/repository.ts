import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import type { VendorClient } from '../../kit/vendor-client.ts';
import { segment } from '../../kit/vendor-path.ts';
import type { TreeRead } from './git-walk.ts';
import { ask } from './github-api.ts';
import { limitsOf, type Limits } from './settings.ts';

/** A permission of a GitHub App, as much as one call needs. */
export type Permissions = Readonly<
  Partial<Record<'contents' | 'issues' | 'pull_requests' | 'workflows', 'read' | 'write'>>
>;

/** A repository that this call may touch, and a credential that reaches it and nothing else where the account can be narrowed. */
export type OpenRepository = {
  vendor: VendorClient;
  limits: Limits;
  /** `/repos/owner/name`. */
  at: string;
  owner: string;
  name: string;
  full: string;
  /** Everybody can read it. A repository that is `internal` to an enterprise is not. */
  isPublic: boolean;
  defaultBranch: string;
  archived: boolean;
  /** Folders and roots of commits that this call has read. */
  folders: Map<string, TreeRead>;
  roots: Map<string, string>;
};

export const RepositoryArg = z.string().max(200).describe('The repository as owner/name, e.g. acme/website');

const Shown = z.looseObject({
  full_name: z.string(),
  private: z.boolean(),
  visibility: z.string().optional(),
  default_branch: z.string(),
  archived: z.boolean().optional(),
});

/** Owner and name, in no other spelling than GitHub's own: `x.git` is `x` to some readers. */
export function readName(repository: string): { owner: string; name: string } {
  const [, owner, name] = /^([A-Za-z0-9][A-Za-z0-9_-]*)\/([A-Za-z0-9._-]+)$/.exec(repository) ?? [];
  if (owner === undefined || name === undefined || /^\.+$/.test(name) || /\.git$/i.test(name))
    throw new Problem('invalid', 'connectors/github-repository-name', {
      says: 'that is not the name of a repository',
      fix: 'give it as owner/name, as list_repositories shows it',
    });
  return { owner, name };
}

export const notAllowed = (repository: string): Problem =>
  new Problem('forbidden', 'connectors/github-repository', {
    says: `${repository} is not among the repositories that this connector may touch`,
    fix: 'take one that list_repositories shows; an administrator can add more in the settings of the connector',
  });

/**
 * The one way to a repository. INVARIANT (the list holds): the name in the arguments is on the list before anything is sent, the answer is about
 * that name, and a repository that was renamed or moved is not followed, because where it is now may not be on the list.
 */
export async function openRepository(
  call: BuiltinCall,
  repository: string,
  permissions: Permissions,
): Promise<OpenRepository> {
  const limits = limitsOf(call.settings);
  const { owner, name } = readName(repository);
  if (!limits.allows(owner, name)) throw notAllowed(`${owner}/${name}`);
  ofInstallation(call.vendor, owner);
  const vendor = call.vendor.narrowed({
    owner: owner.toLowerCase(),
    repositories: [name.toLowerCase()],
    permissions: { metadata: 'read', ...permissions },
  });
  const at = `/repos/${segment(owner)}/${segment(name)}`;
  const answer = await ask(vendor, { method: 'GET', path: at, takes: [301, 302, 307, 308] });
  const shown = answer.status < 300 ? Shown.parse(answer.json()) : undefined;
  if (shown?.full_name.toLowerCase() !== `${owner}/${name}`.toLowerCase())
    throw new Problem('conflict', 'connectors/github-moved', {
      says: `${owner}/${name} has another name at GitHub now, and is not followed there`,
      fix: 'an administrator can look where it went and name it in the settings of the connector',
    });
  return {
    vendor,
    limits,
    at,
    owner,
    name,
    full: shown.full_name,
    isPublic: !shown.private && shown.visibility !== 'internal',
    defaultBranch: shown.default_branch,
    archived: shown.archived === true,
    folders: new Map(),
    roots: new Map(),
  };
}

/** An installation reaches one organization; what it could see elsewhere is what everybody can, and not what was meant. */
export function ofInstallation(vendor: VendorClient, owner: string): void {
  const account = vendor.facts['installation_account'];
  if (account !== undefined && account.toLowerCase() !== owner.toLowerCase())
    throw new Problem('forbidden', 'connectors/github-other-owner', {
      says: `the app of this connector is installed in ${account}, and not in ${owner}`,
      fix: 'an administrator can make a connector with an installation there',
    });
}

/**
 * INVARIANT (private stays private): what a call may read need not be public, so it writes to no public place unless an administrator has said
 * that the rules about outward actions are enough.
 */
export function mayWrite(r: OpenRepository): void {
  if (r.archived)
    throw new Problem('conflict', 'connectors/github-archived', {
      says: `${r.full} is archived and takes no changes`,
      fix: 'take another repository',
    });
  if (r.isPublic && r.limits.settings.public_writes === 'refuse')
    throw new Problem('forbidden', 'connectors/github-public', {
      says: `${r.full} is public, and this connector writes to no public repository`,
      fix: 'write it there yourself; an administrator can set public_writes to "allow", and then rules about outward actions decide',
    });
}

/** Whether an address of GitHub's API is of this repository; of one that was moved, answers name another. */
export const isOf = (r: OpenRepository, address: string): boolean => {
  const path = URL.parse(address)?.pathname.toLowerCase() ?? '';
  const own = `/repos/${r.full}`.toLowerCase();
  return path.endsWith(own) || path.includes(`${own}/`);
};
