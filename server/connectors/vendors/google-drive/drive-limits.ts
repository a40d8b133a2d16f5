import { Problem } from '#kernel/problem.ts';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import type { VendorClient } from '../../kit/vendor-client.ts';
import { VendorRefusal } from '../../kit/vendor-refusal.ts';
import { getFile, SHORTCUT, type DriveFile } from './drive-api.ts';
import { DriveSettings } from './settings.ts';

/** Drive allows 100 levels of folders; people use a handful. */
const MAX_LEVELS = 100;
/** Look-ups of folders in one call; what cannot be placed within them counts as outside. */
const MAX_LOOKUPS = 60;

/** The part of a Drive to which an administrator has limited a connector. */
export type DriveLimits = {
  /** Whether everything that the account sees is inside. */
  readonly open: boolean;
  readonly sharedDrives: readonly string[];
  readonly folders: readonly string[];
  /** Whether a file, or what is in a folder, may be seen and changed. */
  holds(file: DriveFile): Promise<boolean>;
};

/** For one call: nothing is remembered longer, because a folder can be moved. */
export function driveLimits(call: BuiltinCall): DriveLimits {
  const settings = DriveSettings.parse(call.settings);
  const sharedDrives = settings.shared_drives ?? [];
  const folders = settings.folders ?? [];
  const open = sharedDrives.length + folders.length === 0;
  const seen = new Map<string, DriveFile | undefined>();
  let lookups = 0;

  const lookUp = async (id: string): Promise<DriveFile | undefined> => {
    if (seen.has(id)) return seen.get(id);
    if (++lookups > MAX_LOOKUPS) return undefined;
    const found = await getFile(call.vendor, id).catch(noneOf);
    seen.set(id, found);
    return found;
  };

  return {
    open,
    sharedDrives,
    folders,
    // INVARIANT (unknown is outside): a folder that cannot be seen, found in time or reached through parents is not inside.
    async holds(file) {
      if (open) return true;
      let here: DriveFile | undefined = file;
      for (let level = 0; here !== undefined && level < MAX_LEVELS; level++) {
        if (here.driveId !== undefined && sharedDrives.includes(here.driveId)) return true;
        if (sharedDrives.includes(here.id) || folders.includes(here.id)) return true;
        const parent: string | undefined = here.parents?.[0];
        if (parent === undefined) return false;
        if (folders.includes(parent) || sharedDrives.includes(parent)) return true;
        here = await lookUp(parent);
      }
      return false;
    },
  };
}

function noneOf(e: unknown): undefined {
  if (e instanceof VendorRefusal && (e.status === 404 || e.status === 403)) return undefined;
  throw e;
}

/** A file inside the limits. What is outside is missing, whether it exists or not. */
export async function fileWithin(vendor: VendorClient, limits: DriveLimits, id: string): Promise<DriveFile> {
  const file = limits.open ? await getFile(vendor, id) : await getFile(vendor, id).catch(noneOf);
  if (file && (await limits.holds(file))) return file;
  throw outside(id);
}

/** The file itself, or what a shortcut leads to; both must be inside, for a shortcut can lead anywhere. */
export async function targetWithin(vendor: VendorClient, limits: DriveLimits, id: string): Promise<DriveFile> {
  const file = await fileWithin(vendor, limits, id);
  const to = file.shortcutDetails?.targetId;
  if (file.mimeType !== SHORTCUT || to === undefined) return file;
  const target = await fileWithin(vendor, limits, to);
  if (target.mimeType !== SHORTCUT) return target;
  throw new Problem('invalid', 'connectors/drive-shortcut', {
    says: 'the shortcut leads to another shortcut',
    fix: 'open what it leads to in Google Drive and use its id',
  });
}

const outside = (id: string): Problem =>
  new Problem('missing', 'connectors/drive-outside', {
    says: `there is no file ${id} in the part of Google Drive that this connector reaches`,
    fix: 'search for it with search_files; an administrator can change the shared drives and folders of the connector',
  });
