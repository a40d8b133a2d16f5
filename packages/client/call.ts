/**
 * One operation of the API, as the generated files declare it. `I` is what goes in (the path's parameters by name, `query`, `body`), `O`
 * what comes out. The types stand in `shape` only, which no value ever has.
 */
export type Op<I, O> = {
  /** The operationId, e.g. `connectors.list_tools`. */
  readonly id: string;
  /** The room that owns it: the first part of the id. */
  readonly room: string;
  readonly method: string;
  /** With `{name}` where a parameter goes. */
  readonly path: string;
  /** The answer is a stream or a file: `call` gives the Response as it is. */
  readonly raw: boolean;
  readonly shape?: (input: I) => O;
};

/** Declares an operation; only the generated files do. */
export const op = <I, O>(id: string, method: string, path: string, raw = false): Op<I, O> => ({
  id,
  room: id.slice(0, id.indexOf('.')),
  method,
  path,
  raw,
});

export type InputOf<T> = T extends Op<infer I, unknown> ? I : never;
export type OutputOf<T> = T extends Op<never, infer O> ? O : never;

/** A refusal by the server (RFC 9457), or that it could not be reached. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Stable for ever; docs/generated/codes.md lists all. */
  readonly code: string;
  /** What was found and what was expected. */
  readonly says: string;
  /** What to do next. */
  readonly fix: string | undefined;
  /** The number of the request, to quote to whoever runs the deployment. */
  readonly request: string | undefined;
  /** Whatever else the refusal carries, e.g. `issues`. */
  readonly more: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    p: { code: string; says: string; fix?: string | undefined; request?: string | undefined },
    more: Readonly<Record<string, unknown>> = {},
  ) {
    super(p.says);
    this.status = status;
    this.code = p.code;
    this.says = p.says;
    this.fix = p.fix;
    this.request = p.request;
    this.more = more;
  }
}

type Parts = { query?: Record<string, unknown>; body?: unknown; [parameter: string]: unknown };

/** The address of a call: parameters are encoded, what is undefined in the query is left out. */
export function addressOf<I>(operation: Op<I, unknown>, input: I): string {
  const parts = input as Parts;
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = parts[name];
    if (typeof value !== 'string' || value === '') throw new TypeError(`${operation.id} needs ${name}`);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parts.query ?? {}))
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      query.set(key, String(value));
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Calls the API with the browser's session. Throws a `Refusal`; an aborted call throws as `fetch` does. */
export async function call<I, O>(operation: Op<I, O>, input: I, signal?: AbortSignal): Promise<O> {
  const { body } = input as Parts;
  const response = await fetch(addressOf(operation, input), {
    method: operation.method,
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
    credentials: 'same-origin',
  }).catch((e: unknown) => {
    if (signal?.aborted) throw e;
    throw new Refusal(0, {
      code: 'client/no-answer',
      says: 'the server did not answer',
      fix: 'check your connection; this page tries again by itself',
    });
  });
  if (!response.ok) throw await refusalOf(response);
  if (operation.raw) return response as O;
  return (response.status === 204 ? undefined : await response.json()) as O;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const text = await response.text().catch(() => '');
  const word = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  try {
    const {
      code,
      detail,
      fix,
      request,
      type: _t,
      title: _i,
      status: _s,
      ...more
    } = JSON.parse(text) as Record<string, unknown>;
    if (typeof code === 'string')
      return new Refusal(
        response.status,
        { code, says: word(detail) ?? code, fix: word(fix), request: word(request) },
        more,
      );
  } catch {
    // Whatever stands between us and the server answered in its own words; told below.
  }
  return new Refusal(response.status, {
    code: 'client/not-our-words',
    says: `the answer was HTTP ${response.status} and not one of Gatehouse`,
    fix: 'ask whoever runs the proxy in front of this server',
    request: response.headers.get('request-id') ?? undefined,
  });
}
