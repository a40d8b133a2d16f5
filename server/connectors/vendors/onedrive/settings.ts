import { z } from 'zod';
import { Tenant } from '../microsoft/entra.ts';

/** An id of a drive as Graph gives it. */
export const DriveId = z
  .string()
  .regex(/^[A-Za-z0-9!_-]{1,200}$/, 'expected the id of a drive as list_drives shows it');
export const ItemId = z
  .string()
  .regex(/^[A-Za-z0-9!_.-]{1,200}$/, 'expected the id of an item as another tool shows it');
/** `contoso.sharepoint.com,{site collection},{site}`. */
export const SiteId = z
  .string()
  .toLowerCase()
  .regex(
    /^[a-z0-9.-]{1,200},[0-9a-f-]{36},[0-9a-f-]{36}$/,
    'expected the id of a site as list_sites shows it, like contoso.sharepoint.com,{guid},{guid}',
  );
export const FolderPlace = z.strictObject({
  drive: DriveId.describe('Id of the drive that the folder is in'),
  item: ItemId.describe('Id of the folder'),
});

export const OneDriveSettings = z.strictObject({
  tenant: Tenant,
  sites: z
    .array(SiteId)
    .max(50)
    .optional()
    .describe('Only these SharePoint sites, by id. Together with drives and folders this is all that can be reached'),
  drives: z.array(DriveId).max(100).optional().describe('Only these drives (document libraries), by id'),
  folders: z.array(FolderPlace).max(50).optional().describe('Only these folders and what is in them'),
  own_drive: z
    .boolean()
    .default(true)
    .describe("Whether each person's own OneDrive can be reached beside what is listed"),
  anonymous_links: z
    .boolean()
    .default(false)
    .describe('Whether links can be made that work for anybody who has them, without signing in'),
  share_domains: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'expected a domain like contoso.com'),
    )
    .max(50)
    .optional()
    .describe('Files can be shared only with addresses in these domains; left out: with everybody the tenant allows'),
});
export type OneDriveSettings = z.output<typeof OneDriveSettings>;
