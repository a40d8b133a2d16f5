import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { segment } from '../../kit/vendor-path.ts';
import { getGraph, ownRoot } from '../microsoft/graph.ts';
import { PERSONAL_TENANT } from '../microsoft/entra.ts';
import { DriveItem, itemFields } from './item.ts';
import { FilePath, namesOf, pathSegments } from './path.ts';
import { DriveId, ItemId, OneDriveSettings, type OneDriveSettings as Limits } from './settings.ts';

export const Drive = z.object({
  id: z.string(),
  name: z.string().nullish(),
  driveType: z.string().nullish(),
  webUrl: z.string().nullish(),
  sharePointIds: z
    .object({ siteId: z.string().nullish(), webId: z.string().nullish(), tenantId: z.string().nullish() })
    .nullish(),
});
export const driveFields = 'id,name,driveType,webUrl,sharePointIds';

/** A drive that this call may go into, with how far. */
export type OpenDrive = {
  id: string;
  /** Folders that it must stay in; undefined: all of it. */
  within: readonly string[] | undefined;
  path: string;
};

/** Arguments that name an item; each tool adds its own. */
export const driveArgument = DriveId.optional().describe(
  "Id of the drive (document library), as list_drives shows it; left out: the person's own OneDrive",
);
export const itemArgument = ItemId.optional().describe('Id of the item, as other tools show it');
export const pathArgument = FilePath.optional();
export type ItemArguments = { drive?: string | undefined; item?: string | undefined; path?: string | undefined };

export const limitsOf = (call: Pick<BuiltinCall, 'settings'>): Limits => OneDriveSettings.parse(call.settings);

export const confined = (l: Limits): boolean =>
  l.sites !== undefined || l.drives !== undefined || l.folders !== undefined;

/**
 * Opens a drive that was asked for, or refuses it. INVARIANT (confined by id): whether it is one that this connector may reach is said by what
 * Graph answers of it, never by a name. An account of the organization reaches more than the person who asks, so for it a person's OneDrive is
 * closed unless it is the caller's own or listed, and what speaks for a person reaches nothing else that is not listed.
 */
export async function openDrive(call: BuiltinCall, drive: string | undefined): Promise<OpenDrive> {
  const limits = limitsOf(call);
  const asked = drive ?? (call.actAs === 'organization' ? onlyDrive(limits) : undefined);
  const at = asked === undefined ? `${ownRoot(call)}/drive` : `/drives/${segment(asked)}`;
  const found = await getGraph(call, Drive, at, { $select: driveFields });
  const { tenantId } = found.sharePointIds ?? {};
  const tid = call.vendor.facts['tid'];
  if (
    found.driveType === 'personal' ||
    (tenantId && (tenantId === PERSONAL_TENANT || (tid && tenantId.toLowerCase() !== tid)))
  )
    throw new Problem('forbidden', 'connectors/onedrive-foreign-drive', {
      says: 'this drive belongs to another organization or to a personal Microsoft account',
      fix: 'use a drive of your own organization, as list_drives shows them',
    });
  const path = `/drives/${segment(found.id)}`;
  const whole: OpenDrive = { id: found.id, within: undefined, path };
  const open =
    asked === undefined || (await isOwn(call, limits, found))
      ? limits.own_drive || !confined(limits)
      : !confined(limits) &&
        (call.actAs === 'person' || (call.actAs === 'organization' && found.driveType !== 'business'));
  if (open || isListed(limits, found)) return whole;
  const within = limits.folders?.filter((f) => f.drive === found.id).map((f) => f.item);
  if (within === undefined || within.length === 0) throw outside();
  return { ...whole, within };
}

/**
 * Whether a drive is in the list, or in a site of the list. A site's id is its host, its site collection and itself, and both of these count: sites
 * below it are in the same collection.
 */
export const isListed = (l: Limits, drive: z.output<typeof Drive>): boolean => {
  const { siteId, webId } = drive.sharePointIds ?? {};
  const own = `,${siteId ?? '?'},${webId ?? '?'}`.toLowerCase();
  return l.drives?.includes(drive.id) === true || l.sites?.some((s) => s.endsWith(own)) === true;
};

function onlyDrive(l: Limits): string {
  const only = l.drives?.length === 1 ? l.drives[0] : undefined;
  if (only !== undefined) return only;
  throw new Problem('invalid', 'connectors/onedrive-no-drive', {
    says: 'this connector acts as the organization, which has no OneDrive of its own',
    fix: 'name a drive: list_sites and list_drives show those that can be reached',
  });
}

/** Whether a drive that was named is the caller's own. Asked only where that decides. */
async function isOwn(call: BuiltinCall, l: Limits, found: z.output<typeof Drive>): Promise<boolean> {
  if (call.actAs === 'organization' || found.driveType === 'documentLibrary') return false;
  if (call.actAs === 'person' && !confined(l)) return false;
  const own = await getGraph(call, z.object({ id: z.string() }), `${ownRoot(call)}/drive`, { $select: 'id' });
  return own.id === found.id;
}

export const outside = (): Problem =>
  new Problem('forbidden', 'connectors/onedrive-outside', {
    says: 'this is outside the sites, drives and folders that this connector may reach',
    fix: 'stay within what list_sites and list_drives show; an administrator can add more to the settings of the connector',
  });

/** What is closed to this connector, or to the account at Microsoft, is not there. */
export async function unlessClosed<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (e) {
    if (e instanceof Problem && e.kind === 'forbidden') return undefined;
    if (e instanceof VendorRefusal && (e.status === 403 || e.status === 404)) return undefined;
    throw e;
  }
}

/** Folders are no deeper than this (a path has 400 characters). */
const MAX_DEPTH = 200;

const Parent = z.object({
  id: z.string(),
  root: z.unknown().optional(),
  parentReference: z.object({ driveId: z.string().nullish(), id: z.string().nullish() }).nullish(),
});

/** Opens an item by id or by path; neither is the root of the drive. */
export async function openItem(call: BuiltinCall, drive: OpenDrive, args: ItemArguments): Promise<DriveItem> {
  if (args.item !== undefined && args.path !== undefined)
    throw new Problem('invalid', 'connectors/onedrive-place', {
      says: 'item and path are both given, and they could mean two things',
      fix: 'give one of them',
    });
  const item = await getGraph(call, DriveItem, drive.path + itemPath(args), { $select: itemFields });
  await stayWithin(call, drive, item);
  return item;
}

/** The same, where what it leads to is wanted: a link into another drive is not followed, because that drive must be opened itself. */
export async function openTarget(call: BuiltinCall, drive: OpenDrive, args: ItemArguments): Promise<DriveItem> {
  const item = await openItem(call, drive, args);
  if (!item.remoteItem) return item;
  throw new Problem('invalid', 'connectors/onedrive-link', {
    says: `this is a link to item ${item.remoteItem.id} of drive ${item.remoteItem.parentReference?.driveId ?? '(unknown)'}`,
    fix: 'ask for that drive and item',
  });
}

function itemPath(args: ItemArguments): string {
  if (args.item !== undefined) return `/items/${segment(args.item)}`;
  const names = args.path === undefined ? [] : namesOf(args.path);
  return names.length === 0 ? '/root' : `/root:/${pathSegments(names)}`;
}

/**
 * That an item is in the drive that was opened and below a folder that it must stay in: asked of Graph from parent to parent, by id, because a
 * path can be renamed between two requests. `known` keeps the answers for the length of one call.
 */
export async function stayWithin(
  call: BuiltinCall,
  drive: OpenDrive,
  item: z.output<typeof Parent>,
  known = new Map<string, z.output<typeof Parent>>(),
): Promise<void> {
  const { driveId } = item.parentReference ?? {};
  if (driveId && driveId !== drive.id) throw outside();
  if (drive.within === undefined) return;
  let here = item;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (drive.within.includes(here.id)) return;
    const parent = here.parentReference?.id;
    if (here.root !== undefined || !parent) break;
    const next =
      known.get(parent) ??
      (await getGraph(call, Parent, `${drive.path}/items/${segment(parent)}`, { $select: 'id,root,parentReference' }));
    known.set(parent, next);
    here = next;
  }
  throw outside();
}

export const itemAt = (drive: OpenDrive, item: Pick<DriveItem, 'id'>): string =>
  `${drive.path}/items/${segment(item.id)}`;
