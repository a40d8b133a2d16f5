import type { Dialect } from '#kernel/operation.ts';
import { status } from '#kernel/problem.ts';
import { tokenOf } from './scim-change.ts';
import { scimError } from './scim-error.ts';
import { callerOf } from './scim-gate.ts';
import { entryOf } from './scim-journal.ts';
import { SCIM_TYPE } from './scim-wire.ts';

/** How the SCIM door says no: every refusal is an error document, whatever went wrong, and stands in the journal of its directory. */
export const scimDialect: Dialect = (c, p, request) => {
  const caller = callerOf(c.req.raw);
  if (caller && !caller.call.noted) {
    caller.call.noted = true;
    caller.call.note(entryOf(caller.call, { ...caller, token: tokenOf(caller) }, { problem: p }));
  }
  const retryAfter = p.more?.['retryAfter'];
  const challenge = c.req.header('authorization') === undefined ? '' : ', error="invalid_token"';
  return new Response(JSON.stringify(scimError(p, request)), {
    status: status[p.kind],
    headers: {
      'content-type': SCIM_TYPE,
      'cache-control': 'no-store',
      // Clients read whole seconds only.
      ...(typeof retryAfter === 'number' ? { 'retry-after': String(Math.ceil(retryAfter)) } : {}),
      ...(p.kind === 'unauthenticated' ? { 'www-authenticate': `Bearer realm="scim"${challenge}` } : {}),
    },
  });
};
