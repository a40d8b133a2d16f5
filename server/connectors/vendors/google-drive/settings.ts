import { z } from 'zod';
import { Domains } from '../google/google-auth.ts';

/** Ids of Drive are of these characters; anything else is none. */
export const DriveId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{5,200}$/, 'expected an id as Google Drive shows it in its addresses');

export const DriveSettings = z.strictObject({
  domains: Domains,
  shared_drives: z
    .array(DriveId)
    .max(50)
    .optional()
    .describe(
      'Ids of shared drives to which this connector is limited, from their addresses (drive/folders/ID). With `folders`: either.',
    ),
  folders: z
    .array(DriveId)
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
