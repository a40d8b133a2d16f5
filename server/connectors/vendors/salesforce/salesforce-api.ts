import { z } from 'zod';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import type { ErrorAnswer, VendorError } from '../../kit/manifest.ts';
import { VendorRefusal, type VendorAnswer, type VendorRequest } from '../../kit/vendor-client.ts';
import { segment } from '../../kit/vendor-path.ts';
import { salesforceSettings } from './settings.ts';

export type SalesforceCall = Pick<BuiltinCall, 'vendor' | 'settings'>;

export const DEFAULT_VERSION = 'v65.0';

/** Path below the data API of the connector's version. */
export const dataPath = (call: SalesforceCall, ...parts: string[]): string =>
  `/services/data/${segment(salesforceSettings(call.settings).api_version ?? DEFAULT_VERSION)}${parts.map((p) => `/${segment(p)}`).join('')}`;

/**
 * A request to the data API, below My Domain. We never go to the `instance_url` that came with a token: My Domain answers for the same
 * organization, and it is the one address that an administrator has named.
 */
export async function salesforce<S extends z.ZodType>(
  call: SalesforceCall,
  request: Omit<VendorRequest, 'at'>,
  answer: S,
): Promise<{ value: z.output<S>; notes: string[] }> {
  const got = await call.vendor.send(request);
  const read = answer.safeParse(got.bytes.length === 0 ? undefined : got.json());
  if (read.success) return { value: read.data, notes: limitNotes(got) };
  throw new VendorRefusal(
    got.status,
    'unexpected_answer',
    `Salesforce answers in a form that is not documented: ${read.error.issues[0]?.path.join('.') ?? ''}`,
  );
}

/** A share of the day's requests above which callers are told. */
const NEARLY_USED = 0.9;

/** `Sforce-Limit-Info: api-usage=14500/15000`, of the organization and its last 24 hours. */
function limitNotes({ headers }: VendorAnswer): string[] {
  const [, used, of] = /api-usage=(\d+)\/(\d+)/.exec(headers.get('sforce-limit-info') ?? '') ?? [];
  if (used === undefined || of === undefined || Number(used) < NEARLY_USED * Number(of)) return [];
  return [`(the organization has used ${used} of its ${of} Salesforce API requests of 24 hours; ask for less)`];
}

const Errors = z
  .array(
    z.looseObject({
      errorCode: z.string().optional(),
      statusCode: z.string().optional(),
      message: z.string(),
      fields: z.array(z.string()).optional(),
    }),
  )
  .min(1);
export type SalesforceErrors = z.infer<typeof Errors>;

/** Salesforce says no with an array of errors; the token endpoint as RFC 6749 does. */
export function readSalesforceError({ body }: ErrorAnswer): VendorError | undefined {
  const errors = Errors.safeParse(body);
  const [first] = errors.data ?? [];
  if (!errors.success || !first) {
    const oauth = z.looseObject({ error: z.string(), error_description: z.string().optional() }).safeParse(body).data;
    return oauth ? { code: oauth.error, says: oauth.error_description } : undefined;
  }
  const code = first.errorCode ?? first.statusCode;
  return { code, says: [words[code ?? ''], sayErrors(errors.data)].filter((w) => w !== undefined).join('; ') };
}

export const sayErrors = (errors: SalesforceErrors): string =>
  errors.map((e) => `${e.message}${e.fields && e.fields.length > 0 ? ` (${e.fields.join(', ')})` : ''}`).join('; ');

/** What a caller can do about it, where the code does not say it. */
const words: Readonly<Record<string, string>> = {
  REQUEST_LIMIT_EXCEEDED: "a limit of the organization's API requests is reached, of 24 hours or of those at one time",
  API_DISABLED_FOR_ORG: 'the edition of the organization has no API',
  API_CURRENTLY_DISABLED: 'the user has no permission "API Enabled"; an administrator gives it by a permission set',
  INSUFFICIENT_ACCESS_OR_READONLY: 'the account may not change this record',
  INSUFFICIENT_ACCESS: 'the account may not do this',
  INVALID_FIELD: 'a field does not exist, or the account may not see it; describe shows those that it may',
  INVALID_TYPE: 'the object does not exist, or the account may not see it',
  NOT_FOUND: 'no such record, or the account may not see it',
  ENTITY_IS_DELETED: 'the record was deleted',
  UNABLE_TO_LOCK_ROW: 'somebody else is changing the record; try again',
  DUPLICATES_DETECTED: 'a duplicate rule of the organization stopped it',
  FIELD_CUSTOM_VALIDATION_EXCEPTION: 'a validation rule of the organization stopped it',
  QUERY_TIMEOUT: 'the query takes too long; narrow it by an indexed field',
};
