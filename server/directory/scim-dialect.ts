import type { Dialect } from '#kernel/operation.ts';
import { status } from '#kernel/problem.ts';
import { errorSchema, SCIM_TYPE } from './scim-wire.ts';

/** Where we add to a SCIM error what RFC 7644 has no word for. */
export const explainKey = 'urn:gatehouse:params:scim:explain';

/** How the SCIM door says no: every refusal is an error document (RFC 7644 §3.12), whatever went wrong. `status` is a string there. */
export const scimDialect: Dialect = (c, p, request) => {
  const { scimType, retryAfter, ...facts } = p.more ?? {};
  const type = typeof scimType === 'string' ? scimType : p.kind === 'invalid' ? 'invalidSyntax' : undefined;
  const challenge = c.req.header('authorization') === undefined ? '' : ', error="invalid_token"';
  return new Response(
    JSON.stringify({
      schemas: [errorSchema],
      status: String(status[p.kind]),
      ...(type === undefined ? {} : { scimType: type }),
      detail: p.fix ? `${p.says}. What to do: ${p.fix}.` : `${p.says}.`,
      [explainKey]: { code: p.code, request, ...facts },
    }),
    {
      status: status[p.kind],
      headers: {
        'content-type': SCIM_TYPE,
        'cache-control': 'no-store',
        // Clients read whole seconds only.
        ...(typeof retryAfter === 'number' ? { 'retry-after': String(Math.ceil(retryAfter)) } : {}),
        ...(p.kind === 'unauthenticated' ? { 'www-authenticate': `Bearer realm="scim"${challenge}` } : {}),
      },
    },
  );
};
