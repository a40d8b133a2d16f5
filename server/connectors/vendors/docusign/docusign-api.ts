import { z } from 'zod';
import type { BuiltinCall } from '../../kit/builtin-tool.ts';
import type { ErrorAnswer, VendorError } from '../../kit/manifest.ts';
import { VendorRefusal, type VendorRequest } from '../../kit/vendor-client.ts';
import { docusignSettings } from './settings.ts';

/** Everything of an account is under its id; the settings say which account, never an argument. */
export const accountPath = (call: Pick<BuiltinCall, 'settings'>): string =>
  `/restapi/v2.1/accounts/${docusignSettings(call.settings).account_id}`;

/** One request under the account, its answer read. */
export async function docusign<S extends z.ZodType>(
  call: Pick<BuiltinCall, 'vendor' | 'settings'>,
  r: Omit<VendorRequest, 'path'> & { path: string },
  answer: S,
): Promise<z.output<S>> {
  const got = await call.vendor.send({ ...r, path: `${accountPath(call)}${r.path}` });
  const read = answer.safeParse(got.json());
  if (read.success) return read.data;
  throw new VendorRefusal(
    got.status,
    'unexpected_answer',
    `Docusign answers in a form that is not documented: ${read.error.issues[0]?.path.join('.') ?? ''}`,
  );
}

/** Numbers come as strings. */
const count = z.coerce.number().int().catch(0);

/** Of every list: where the next page begins, if there is one. */
export const Paging = {
  totalSetSize: count,
  endPosition: count,
  nextUri: z.string().optional(),
};

/** What a tool gives as its cursor. */
export const nextStart = (page: { endPosition: number; nextUri?: string | undefined }): number | undefined =>
  page.nextUri === undefined || page.nextUri === '' ? undefined : page.endPosition + 1;

const No = z.looseObject({ errorCode: z.string().optional(), message: z.string().optional() });

/** How long a refusal for too many requests lasts, by what was too much (developers.docusign.com: API resource limits). */
const BURST_SECONDS = 30;
const HOUR_SECONDS = 3600;

/** Docusign says no with an errorCode; too many requests come with status 400. */
export function readDocusignError({ headers, body }: ErrorAnswer): VendorError | undefined {
  const no = No.safeParse(body).data;
  const code = no?.errorCode;
  if (code === undefined) return {};
  if (/^(?:HOURLY|BURST)_/i.test(code)) {
    const burst = /^BURST_/i.test(code);
    const envelope = /ENVELOPE/i.test(code);
    return {
      code,
      means: 'throttled',
      afterSeconds: burst ? BURST_SECONDS : untilReset(headers),
      says: envelope
        ? 'the same envelope was asked for or changed too often; Docusign wants its state asked for once in 15 minutes at most'
        : burst
          ? 'too many requests in 30 seconds'
          : "the account's requests of this hour are used up, by all of its apps together",
    };
  }
  return { code, says: words[code] ?? no?.message };
}

/** X-RateLimit-Reset is a time in seconds since 1970; the answer's own date is the clock that it was said by. */
function untilReset(headers: Headers): number {
  const reset = Number(headers.get('x-ratelimit-reset'));
  const at = Date.parse(headers.get('date') ?? '') / 1000;
  const left = reset - at;
  return left > 0 && left <= HOUR_SECONDS ? Math.ceil(left) : HOUR_SECONDS;
}

/** What a caller can do about it. */
const words: Readonly<Record<string, string>> = {
  ENVELOPE_DOES_NOT_EXIST: 'there is no such envelope in this account, or this user may not see it',
  ENVELOPE_NOT_IN_FOLDER: 'there is no such envelope in this account, or this user may not see it',
  TEMPLATE_ID_INVALID: 'there is no such template in this account; list_templates shows those that there are',
  DOCUMENT_DOES_NOT_EXIST: 'the envelope has no such document; get_envelope shows those that it has',
  USER_LACKS_PERMISSIONS:
    'this Docusign user may not do that; an administrator of the account sets permission profiles',
  ACCOUNT_LACKS_PERMISSIONS: "the account's plan does not include that",
  USER_DOES_NOT_EXIST_IN_SYSTEM: 'this user has no account there any more',
  USER_NOT_ENVELOPE_SENDER_OR_RECIPIENT: 'this user neither sent nor receives the envelope',
  ENVELOPE_CANNOT_VOID_INVALID_STATE: 'only an envelope that was sent and is not completed can be voided',
  ENVELOPE_INVALID_STATUS: 'the envelope is not in a state in which that can be done; get_envelope shows it',
  ENVELOPE_IS_INCOMPLETE: 'the draft lacks something that it needs to be sent: a document, a recipient or a subject',
  EDIT_LOCK_ENVELOPE_LOCKED: 'somebody is editing the envelope in Docusign just now',
  INVALID_EMAIL_ADDRESS_FOR_RECIPIENT: 'an address of a recipient is not one',
};
