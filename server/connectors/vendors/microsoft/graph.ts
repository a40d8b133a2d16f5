import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import type { BuiltinCall, ToolAnswer } from '../../kit/builtin-tool.ts';
import type { Manifest } from '../../kit/manifest.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { segment } from '../../kit/vendor-path.ts';

const GraphError = z.object({
  error: z.object({
    code: z.string().nullish(),
    message: z.string().nullish(),
    innerError: z.record(z.string(), z.unknown()).nullish(),
    innererror: z.record(z.string(), z.unknown()).nullish(),
  }),
});

/** Graph's refusal in its own words, with the number under which Microsoft's support finds it. */
export const graphError: NonNullable<Manifest['readError']> = ({ status, headers, body }) => {
  const read = GraphError.safeParse(body);
  const error = read.success ? read.data.error : undefined;
  const inner = error?.innerError ?? error?.innererror;
  const request = headers.get('request-id') ?? inner?.['request-id'];
  const code = error?.code ?? undefined;
  const says = [
    error?.message?.trim().replace(/\.$/, '') || undefined,
    code === undefined ? undefined : hints[code],
    typeof request === 'string' && /^[\w-]{1,80}$/.test(request) ? `request ${request}` : undefined,
  ];
  return {
    code,
    says: says.filter((s) => s !== undefined).join('; '),
    // SharePoint says 509 where others say 429.
    ...(status === 509 ? { means: 'throttled' as const } : {}),
  };
};

/** What Graph's code does not say and an administrator must know. */
const hints: Readonly<Record<string, string>> = {
  accessDenied:
    'the account has no access there; an app with Sites.Selected reaches only the sites that were granted to it',
  ErrorAccessDenied: 'the account, or the app by its role in Exchange, has no access to this mailbox',
  Authorization_RequestDenied: 'the permission is missing, or nobody has consented to it',
  MailboxNotEnabledForRESTAPI: 'the account has no mailbox in Exchange Online',
};

/** Text in an OData literal within a path or a parameter: quotes are doubled. */
export const odataText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The same as part of a path. */
export const odataSegment = (text: string): string => `'${segment(text.replaceAll("'", "''"))}'`;

/**
 * Words as a phrase of KQL, in quotes that nothing in them can end: neither an operator nor a property restriction gets out of them, so what a
 * search finds is what the words say, in the box of whoever asks.
 */
export function kqlPhrase(text: string): string {
  const plain = text
    .replaceAll(/["“”„‟«»\\]/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (plain === '')
    throw new Problem('invalid', 'connectors/graph-search', {
      says: 'the search has no words in it',
      fix: 'give words that stand in what you look for',
    });
  return `"${plain}"`;
}

/** Each word on its own, all of which must be found. */
export const kqlWords = (text: string): string =>
  kqlPhrase(text).slice(1, -1).split(' ').slice(0, 30).map(kqlPhrase).join(' ');

/** Characters of a document in one answer; in UTF-8 they are less than an answer takes. */
export const MAX_TEXT = 32_000;

/** An opaque place in a list. */
export const Cursor = z
  .string()
  .max(8000)
  .regex(/^(?:after|skip):[\x21-\x7e]+$/, 'expected the cursor of the answer before')
  .optional()
  .describe('The cursor of the answer before, for more; the other arguments must be the same');

/**
 * Where a list goes on. INVARIANT (no address from a cursor): of Graph's nextLink only its mark is kept, and the request is built anew from the
 * arguments, so neither a vendor's answer nor an agent's cursor can lead the credential to another address.
 */
export function cursorOf(list: { '@odata.nextLink'?: string | null | undefined }): string | undefined {
  const url = URL.parse(list['@odata.nextLink'] ?? '');
  const token = url?.searchParams.get('$skiptoken') ?? url?.searchParams.get('$skipToken');
  if (token) return `after:${encodeURIComponent(token)}`;
  const skip = url?.searchParams.get('$skip');
  return skip && /^\d{1,9}$/.test(skip) ? `skip:${skip}` : undefined;
}

/** The parameters that a cursor stands for. */
export function atCursor(cursor: string | undefined): Readonly<Record<string, string>> {
  if (cursor === undefined) return {};
  const [, kind, value = ''] = /^(after|skip):(.+)$/.exec(cursor) ?? [];
  try {
    if (kind === 'after') return { $skiptoken: decodeURIComponent(value) };
  } catch {
    throw badCursor();
  }
  if (kind !== 'skip' || !/^\d{1,9}$/.test(value)) throw badCursor();
  return { $skip: value };
}

const badCursor = (): Problem =>
  new Problem('invalid', 'connectors/graph-cursor', {
    says: 'this is no cursor that an answer of this tool gave',
    fix: 'give the cursor of the answer before, as it was, or leave it out to begin again',
  });

/** One JSON answer of Graph in the form that we read. Asks for ids that stay when a message moves. */
export async function getGraph<S extends z.ZodType>(
  call: BuiltinCall,
  shape: S,
  path: string,
  query?: Readonly<Record<string, string | number | boolean | undefined>>,
  prefer?: readonly string[],
): Promise<z.output<S>> {
  const answer = await call.vendor.send({
    method: 'GET',
    path: `/v1.0${path}`,
    ...(query ? { query } : {}),
    ...(prefer ? { headers: { prefer: prefer.join(', ') } } : {}),
  });
  return readAs(shape, answer.json());
}

/** An answer that is not as Graph documents it is said to be so, and not guessed at. */
export function readAs<S extends z.ZodType>(shape: S, value: unknown): z.output<S> {
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  const at = read.error.issues[0]?.path.join('.') ?? '';
  throw new Problem('upstream', 'connectors/graph-answer', {
    says: `Microsoft Graph answers in a form that it does not document${at === '' ? '' : ` (at ${at})`}`,
    fix: 'try again; if it stays so, tell whoever runs this deployment',
    because: read.error,
  });
}

/** Whose mailbox or drive. INVARIANT (the caller's own): the address is what Gatehouse knows of the caller, and never comes from arguments. */
export const ownRoot = (call: Pick<BuiltinCall, 'actAs' | 'person'>): string =>
  call.actAs === 'person' ? '/me' : `/users/${segment(call.person.email)}`;

/** Lines for a model, and the same as data. */
export const said = (
  lines: readonly (string | undefined)[],
  structuredContent: Readonly<Record<string, unknown>>,
): ToolAnswer =>
  textAnswer(
    lines.filter((l) => l !== undefined),
    structuredContent,
  );

export const moreLine = (cursor: string | undefined): string | undefined =>
  cursor === undefined ? undefined : `There is more: ask again with the cursor ${JSON.stringify(cursor)}.`;
