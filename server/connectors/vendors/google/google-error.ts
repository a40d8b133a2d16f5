import { z } from 'zod';
import type { ErrorAnswer, VendorError } from '../../kit/manifest.ts';

/** The form of errors of Google's APIs: https://cloud.google.com/apis/design/errors, with the older list of `errors` beside it. */
const Body = z.looseObject({
  error: z.looseObject({
    message: z.string().optional(),
    status: z.string().optional(),
    errors: z.array(z.looseObject({ reason: z.string().optional() })).optional(),
    details: z.array(z.looseObject({ reason: z.string().optional() })).optional(),
  }),
});

const throttled = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED']);

const explained: Readonly<Record<string, string>> = {
  insufficientPermissions:
    'what was consented to does not cover this; connect again with more access, if the connector has it',
  ACCESS_TOKEN_SCOPE_INSUFFICIENT:
    'what was consented to does not cover this; connect again with more access, if the connector has it',
  insufficientFilePermissions: 'this account may not do that with this file',
  appNotAuthorizedToFile:
    'Gatehouse may change only files that it made; an administrator can allow all files in the settings of the connector',
  exportSizeLimitExceeded: 'Google exports no document of more than 10 MB; open it in Google Docs',
  failedPrecondition:
    'this account has no mailbox; a service account must be given an account of the Workspace to act as (act_as)',
  cannotDownloadAbusiveFile: 'Google has found malware or spam in this file and does not give it out',
  cannotDownloadFile: 'whoever owns the file does not let others download it',
  dailyLimitExceeded: "the project's quota for today is used up",
  quotaExceeded: "the project's quota is used up",
  sharingRateLimitExceeded: 'so much has been shared that Google lets this account share nothing for now',
  storageQuotaExceeded: 'there is no more room in this Drive',
  domainPolicy: 'the policy of the Google Workspace domain does not allow this',
  accessNotConfigured: 'the API is not enabled in the Google Cloud project of the OAuth client',
  SERVICE_DISABLED: 'the API is not enabled in the Google Cloud project of the OAuth client',
};

/** How Google says no. 403 is also how it says "slower", by a reason and without saying how long. */
export function readGoogleError({ status, body }: ErrorAnswer): VendorError | undefined {
  const read = Body.safeParse(body);
  if (!read.success) return undefined;
  const { message, status: name, errors, details } = read.data.error;
  const reason = errors?.[0]?.reason ?? details?.find((d) => d.reason !== undefined)?.reason ?? name;
  const known = reason !== undefined && Object.hasOwn(explained, reason) ? explained[reason] : undefined;
  const slower = (status === 403 && reason !== undefined && throttled.has(reason)) || status === 429;
  return {
    code: reason,
    says: known ?? message,
    ...(slower ? { means: 'throttled' } : {}),
    ...(status === 401 ? { means: 'credential' } : {}),
  };
}
