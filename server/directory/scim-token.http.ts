import { z } from 'zod';
import { page, type Operation } from '#kernel/operation.ts';
import { asProblem, Problem, status } from '#kernel/problem.ts';
import { issueClientToken } from './issue-client-token.ts';

const Form = z.object({
  grant_type: z.string().optional(),
  client_id: z.string().max(200).optional(),
  client_secret: z.string().max(200).optional(),
});

const answer = (code: number, body: Record<string, unknown>, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status: code,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache', ...headers },
  });

/** The client that a request names: in the header (RFC 6749 §2.3.1, form-encoded there) or in the form, never in both. */
function clientOf(headers: Headers, form: z.infer<typeof Form>): { id: string; secret: string } | undefined {
  const basic = /^basic +([A-Za-z0-9+/=]{1,1000})$/i.exec(headers.get('authorization') ?? '')?.[1];
  const inForm = form.client_id !== undefined && form.client_secret !== undefined;
  if (basic !== undefined && form.client_secret === undefined) {
    const [id = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    const plain = (s: string): string => {
      try {
        return decodeURIComponent(s.replaceAll('+', ' '));
      } catch {
        return s;
      }
    };
    return { id: plain(id), secret: plain(rest.join(':')) };
  }
  return basic === undefined && inForm ? { id: form.client_id ?? '', secret: form.client_secret ?? '' } : undefined;
}

/** The token endpoint of a directory. It speaks OAuth: who asks here is a token client and no SCIM client yet. */
export const scimTokenOperations: readonly Operation[] = [
  page({
    id: 'directory.issue_client_token',
    at: 'POST /token',
    can: 'public',
    says: 'Trades the id and secret of an OAuth client for a token of an hour (client credentials).',
    params: z.object({ directory: z.string() }),
    body: Form,
    accepts: ['application/x-www-form-urlencoded'],
    async handle(ctx, { params, body, headers }) {
      if (body.grant_type !== 'client_credentials')
        return answer(400, {
          error: body.grant_type === undefined ? 'invalid_request' : 'unsupported_grant_type',
          error_description: 'send grant_type=client_credentials',
        });
      try {
        const client = clientOf(headers, body);
        if (!client)
          throw new Problem('unauthenticated', 'directory/client', {
            says: 'the request names no client, or names it twice',
            fix: 'send client id and secret by HTTP Basic or in the form',
          });
        const { token, seconds } = await issueClientToken(ctx, params.directory, client);
        return answer(200, { access_token: token, token_type: 'Bearer', expires_in: seconds });
      } catch (e) {
        const p = asProblem(e);
        if (p.kind === 'bug') throw p;
        const retryAfter = p.more?.['retryAfter'];
        return answer(
          status[p.kind],
          {
            error: p.kind === 'unauthenticated' ? 'invalid_client' : 'temporarily_unavailable',
            error_description: `${p.says}${p.fix ? `; ${p.fix}` : ''}`,
            code: p.code,
          },
          {
            ...(p.kind === 'unauthenticated' ? { 'www-authenticate': 'Basic realm="scim"' } : {}),
            ...(typeof retryAfter === 'number' ? { 'retry-after': String(retryAfter) } : {}),
          },
        );
      }
    },
  }),
];
