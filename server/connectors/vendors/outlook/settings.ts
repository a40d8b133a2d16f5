import { z } from 'zod';
import { Tenant } from '../microsoft/entra.ts';

export const OutlookSettings = z.strictObject({
  tenant: Tenant,
  send_domains: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'expected a domain like contoso.com'),
    )
    .max(50)
    .optional()
    .describe('Mail and invitations go only to addresses in these domains; left out: to everybody'),
});
