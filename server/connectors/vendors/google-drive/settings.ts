import { z } from 'zod';
import { Domains } from '../google/google-auth.ts';

/** Ids of Drive are of these characters; anything else is none. */
export const DriveId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{5,200}$/, 'expected an id as Google Drive shows it in its addresses');

/** An id of a folder, or `root`: My Drive of the account. */
export const FolderId = z
  .string()
  .regex(/^(?:root|[A-Za-z0-9_-]{5,200})$/, 'expected an id as Google Drive shows it in its addresses, or root');

export const DriveSettings = z.strictObject({
  domains: Domains,
  shared_drives: z
    .array(DriveId)
    // An empty list would be no limit at all.
    .min(1)
    .max(50)
    .optional()
    .describe(
      'Ids of shared drives to which this connector is limited, from their addresses (drive/folders/ID). With `folders`: either.',
    ),
  folders: z
    .array(DriveId)
    .min(1)
    .max(50)
    .optional()
    .describe('Ids of folders to which this connector is limited, with all that is in them, from their addresses.'),
  change_all_files: z
    .boolean()
    .optional()
    .describe(
      'Whether a read-write connector may change, move and share every file of the account. Default: only files that it made itself.',
    ),
  public_links: z
    .boolean()
    .optional()
    .describe('Whether a file may be shared with everyone who has the link. Default: no.'),
});
export type DriveSettings = z.output<typeof DriveSettings>;
