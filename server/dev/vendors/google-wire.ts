import type { Said } from './vendor-server.ts';

/** An error in the form of Google's APIs. */
export function googleError(code: number, reason: string, message: string, where: Record<string, string> = {}): Said {
  const names: Record<number, string> = {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    429: 'RESOURCE_EXHAUSTED',
  };
  return {
    status: code,
    json: {
      error: {
        code,
        message,
        errors: [{ message, domain: 'global', reason, ...where }],
        status: names[code] ?? 'UNKNOWN',
      },
    },
  };
}
export const unauthenticated = googleError(
  401,
  'authError',
  'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
);
export const insufficient = googleError(
  403,
  'insufficientPermissions',
  'Insufficient Permission: Request had insufficient authentication scopes.',
);

/** Only what `fields` names of an answer (developers.google.com/workspace/drive/api/guides/fields-parameter); `a,b(c,d),e/f`. */
export function partial(value: unknown, fields: string | null): unknown {
  if (fields === null || fields === '*') return value;
  let at = 0;
  type Tree = Map<string, Tree | undefined>;
  const list = (): Tree => {
    const tree: Tree = new Map();
    for (;;) {
      const name = /^[A-Za-z*]+/.exec(fields.slice(at))?.[0];
      if (name === undefined) throw new Error('Invalid field selection');
      at += name.length;
      if (fields[at] === '(') {
        at++;
        tree.set(name, list());
        if (fields[at++] !== ')') throw new Error('Invalid field selection');
      } else if (fields[at] === '/') {
        at++;
        const [only] = list();
        if (only) tree.set(name, new Map([only]));
      } else tree.set(name, undefined);
      if (fields[at] !== ',') return tree;
      at++;
    }
  };
  const pick = (v: unknown, tree: Tree): unknown => {
    if (Array.isArray(v)) return v.map((x) => pick(x, tree));
    if (typeof v !== 'object' || v === null) return v;
    return Object.fromEntries(
      Object.entries(v).flatMap(([k, x]) => (tree.has(k) ? [[k, ((t) => (t ? pick(x, t) : x))(tree.get(k))]] : [])),
    );
  };
  const tree = list();
  if (at < fields.length) throw new Error('Invalid field selection');
  return pick(value, tree);
}
