import type { Secret } from '#kernel/secret.ts';
import { visible } from '#kernel/visible.ts';
import type { Manifest, VendorError } from './manifest.ts';
import type { VendorAnswer } from './vendor-client.ts';

/** A vendor said no, or something that is no answer. `says` is for the person who called, in the vendor's terms and without anything secret. */
export class VendorRefusal extends Error {
  /** 0: there was no answer, or none that could be taken. */
  readonly status: number;
  /** The vendor's own code, e.g. `channel_not_found`, shortened to what is safe to show. */
  readonly code: string | undefined;
  readonly says: string;
  constructor(status: number, code: string | undefined, says: string) {
    super(says);
    this.name = 'VendorRefusal';
    this.status = status;
    this.code = code;
    this.says = says;
  }
}

/** Longer than any sentence a vendor explains itself with. */
const MAX_SAYS = 500;

/** Whether an answer is a no, and what it means; undefined: it is an answer. */
export function readRefusal(
  manifest: Pick<Manifest, 'readError' | 'errorsInAnswers'>,
  at: string,
  answer: VendorAnswer,
): VendorError | undefined {
  const good = answer.status < 300;
  if (good && !(manifest.errorsInAnswers?.includes(at) && manifest.readError)) return undefined;
  const body = bodyOf(answer);
  const read = manifest.readError?.({ status: answer.status, at, headers: answer.headers, body });
  if (good && read === undefined) return undefined;
  const error = read ?? usual(body);
  if (error.means !== undefined || good) return error;
  if (answer.status === 401) return { ...error, means: 'credential' };
  return answer.status === 429 ? { ...error, means: 'throttled' } : error;
}

/** The refusal in words. INVARIANT (no secret in an error): what a vendor echoes of the credential is taken out. */
export function refusalOf(vendor: string, status: number, e: VendorError, token: Secret): VendorRefusal {
  const secret = token.reveal();
  const clean = (text: string): string =>
    visible(secret === '' ? text : text.replaceAll(secret, '[credential]'))
      .replaceAll(/\s+/g, ' ')
      .trim();
  const code = e.code === undefined ? undefined : clean(e.code).slice(0, 100);
  const words = e.says === undefined ? '' : clean(e.says).slice(0, MAX_SAYS);
  const wait =
    e.means === 'throttled' && e.afterSeconds !== undefined
      ? `; it asks to wait ${Math.ceil(e.afterSeconds)} seconds`
      : '';
  const said = [code, words].filter((s) => s !== undefined && s !== '').join(': ');
  return new VendorRefusal(status, code, `${vendor} ${meaning(status, e)}${wait}${said === '' ? '' : ` (${said})`}`);
}

function meaning(status: number, e: VendorError): string {
  if (e.means === 'credential') return 'does not accept the credential';
  if (e.means === 'throttled') return 'has had too many requests';
  if (status === 403) return 'does not let this account do that';
  if (status === 404) return 'has nothing there that this account may see';
  if (status === 409 || status === 412) return 'says that it has changed meanwhile, or exists already';
  if (status >= 300 && status < 400) return 'leads elsewhere, and that is not followed';
  if (status >= 500) return `has a fault (status ${status})`;
  return status < 300 ? 'refuses that' : `refuses that (status ${status})`;
}

/** Retry-After (RFC 9110 §10.2.3): seconds or a date. */
export function retryAfterMs(headers: Headers, now: Date): number | undefined {
  const said = headers.get('retry-after')?.trim();
  if (said === undefined || said === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(said)) return Number(said) * 1000;
  const at = Date.parse(said);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}

function bodyOf(answer: VendorAnswer): unknown {
  try {
    return answer.json();
  } catch {
    // A page of a proxy, or a document that has two meanings: of a refusal the status says enough.
    return undefined;
  }
}

/** Where most vendors put it: RFC 6749, RFC 9457, Google, Graph, GitHub and their like. */
function usual(body: unknown): VendorError {
  const outer = Array.isArray(body) ? body[0] : body;
  const error = member(outer, 'error');
  const inner = typeof error === 'object' && error !== null ? error : outer;
  return {
    code:
      text(member(inner, 'code')) ?? text(member(inner, 'errorCode')) ?? text(error) ?? text(member(inner, 'status')),
    says:
      text(member(inner, 'message')) ??
      text(member(outer, 'error_description')) ??
      text(member(outer, 'detail')) ??
      text(member(outer, 'title')),
  };
}

const member = (v: unknown, name: string): unknown =>
  typeof v === 'object' && v !== null && Object.hasOwn(v, name) ? Reflect.get(v, name) : undefined;
const text = (v: unknown): string | undefined =>
  typeof v === 'string' && v !== '' ? v : typeof v === 'number' ? String(v) : undefined;
