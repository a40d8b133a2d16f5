import type { Context } from 'hono';
import { status, type Problem } from './problem.ts';

/** RFC 9457 problem details: how the API says no. `code` is stable; `fix` is the next step. */
export function problemJson(_c: Context, p: Problem, request: string): Response {
  const retry = p.more?.['retryAfter'];
  return new Response(
    JSON.stringify({
      type: `urn:gatehouse:problem:${p.code}`,
      title: p.code,
      status: status[p.kind],
      code: p.code,
      detail: p.says,
      fix: p.fix,
      request,
      ...p.more,
    }),
    {
      status: status[p.kind],
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        ...(typeof retry === 'number' ? { 'retry-after': String(retry) } : {}),
        ...(p.kind === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
      },
    },
  );
}
