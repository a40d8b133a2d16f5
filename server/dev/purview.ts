// The three operations of Microsoft Graph that data security asks for, and the login before them, in the shapes of the v1.0 reference. Refuses a
// wrong client, a stale assertion, a token that it did not give out, missing parts, and batches beyond 2 MB or 64 entries.
import { createHash, createPublicKey, randomUUID, timingSafeEqual, X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { jwtVerify } from 'jose';
import { listen, type Listening } from './listening-server.ts';
import { serveStandIn, standInArgs } from './stand-in-process.ts';

type Scope = { activities: string; executionMode: string; locations: { value: string }[]; policyActions?: unknown[] };
export type PurviewOptions = {
  tenant: string;
  clientId: string;
  /** Accepted proofs; changed by tests of rotation. */
  secrets?: string[];
  certificates?: string[];
  /** What applies to a person; asked at each compute. */
  scopes?: (person: string) => Scope[];
  etag?: () => string;
  /** The text of all entries to the restriction. */
  restrict?: (text: string) => 'block' | 'warn' | 'audit' | undefined;
  /** Answers before anything else: a fault. */
  fault?: (path: string) => { status: number; headers?: Record<string, string>; body?: unknown } | undefined;
  expiresIn?: number;
};
export type PurviewSeen = {
  path: string;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown>;
  bytes: number;
};

const application = (value: string): { value: string }[] => [{ value }];
/** Text up and down is looked at before it passes. */
export const inlineScopes = (app: string): Scope[] => [
  { activities: 'uploadText,downloadText', executionMode: 'evaluateInline', locations: application(app) },
];
export const offlineScopes = (app: string): Scope[] => [
  { activities: 'uploadText,downloadText', executionMode: 'evaluateOffline', locations: application(app) },
];

export function purviewHandler(o: PurviewOptions, base: () => string, seen: PurviewSeen[] = []) {
  const tokens = new Set<string>();
  const reply = (res: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}): void => {
    res
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(body === undefined ? '' : JSON.stringify(body));
  };
  const bad = (res: ServerResponse, why: string): void =>
    reply(res, 400, { error: { code: 'badRequest', message: why } });

  const login = async (res: ServerResponse, form: URLSearchParams): Promise<void> => {
    const no = (): void => reply(res, 401, { error: 'invalid_client', error_description: 'AADSTS7000215' });
    if (form.get('grant_type') !== 'client_credentials' || !form.get('scope')?.endsWith('/.default'))
      return bad(res, 'grant or scope');
    if (form.get('client_id') !== o.clientId) return no();
    const secret = form.get('client_secret');
    const assertion = form.get('client_assertion');
    if (secret !== null) {
      const known = (o.secrets ?? []).some(
        (s) => s.length === secret.length && timingSafeEqual(Buffer.from(s), Buffer.from(secret)),
      );
      if (!known) return no();
    } else if (assertion === null || !(await proves(assertion))) return no();
    const token = randomUUID();
    tokens.add(token);
    reply(res, 200, { token_type: 'Bearer', expires_in: o.expiresIn ?? 3599, access_token: token });
  };

  const proves = async (assertion: string): Promise<boolean> => {
    const head = JSON.parse(String(Buffer.from(assertion.split('.')[0] ?? '', 'base64url'))) as Record<string, unknown>;
    const certificate = (o.certificates ?? [])
      .map((c) => new X509Certificate(c))
      .find((c) => createHash('sha256').update(c.raw).digest('base64url') === head['x5t#S256']);
    if (!certificate) return false;
    try {
      const { payload } = await jwtVerify(
        assertion,
        createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' })),
        {
          algorithms: ['PS256', 'RS256'],
          issuer: o.clientId,
          subject: o.clientId,
          audience: `${base()}/${o.tenant}/oauth2/v2.0/token`,
          maxTokenAge: 600,
        },
      );
      return payload.jti !== undefined;
    } catch {
      return false;
    }
  };

  const process = (content: unknown): { action: string | undefined; missing: string | undefined; entries: number } => {
    const c = (content ?? {}) as Record<string, unknown>;
    const missing = [
      'contentEntries',
      'activityMetadata',
      'deviceMetadata',
      'protectedAppMetadata',
      'integratedAppMetadata',
    ].find((k) => !(k in c));
    const entries = (c['contentEntries'] ?? []) as Record<string, unknown>[];
    const field = entries.flatMap((e) =>
      ['identifier', 'content', 'name', 'correlationId', '@odata.type'].filter((k) => !(k in e)),
    )[0];
    const text = entries.map((e) => (e['content'] as { data?: string } | undefined)?.data ?? '').join('');
    return {
      action: o.restrict?.(text),
      missing: missing ?? field ?? (entries.length === 0 ? 'an entry' : undefined),
      entries: entries.length,
    };
  };

  return (req: IncomingMessage, res: ServerResponse): void => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const raw = Buffer.concat(chunks);
      const path = decodeURIComponent(new URL(req.url ?? '/', 'http://x').pathname);
      const form = path === `/${o.tenant}/oauth2/v2.0/token`;
      const body = form
        ? Object.fromEntries(new URLSearchParams(String(raw)))
        : (JSON.parse(String(raw)) as Record<string, unknown>);
      seen.push({ path, headers: req.headers, body, bytes: raw.length });
      const fault = o.fault?.(path);
      if (fault) return reply(res, fault.status, fault.body, fault.headers);
      if (form) return void login(res, new URLSearchParams(String(raw)));
      const bearer = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
      if (bearer === undefined || !tokens.has(bearer))
        return reply(res, 401, { error: { code: 'InvalidAuthenticationToken' } });
      const etag = o.etag?.() ?? '"1"';
      const person = /^\/v1\.0\/users\/([^/]+)\/dataSecurityAndGovernance\//.exec(path)?.[1];
      if (person && path.endsWith('/protectionScopes/compute'))
        return reply(res, 200, { value: (o.scopes ?? (() => inlineScopes(o.clientId)))(person) }, { etag });
      if (person && path.endsWith('/processContent')) {
        const { action, missing } = process(body['contentToProcess']);
        if (missing) return bad(res, missing);
        const given = req.headers['if-none-match'];
        return reply(
          res,
          200,
          {
            protectionScopeState: given === undefined || given === etag ? 'notModified' : 'modified',
            policyActions: action
              ? [
                  {
                    '@odata.type': '#microsoft.graph.restrictAccessAction',
                    action: 'restrictAccess',
                    restrictionAction: action,
                  },
                ]
              : [],
            processingErrors: [],
          },
          { etag },
        );
      }
      if (path === '/v1.0/security/dataSecurityAndGovernance/processContentAsync') {
        const requests = (body['processContentRequests'] ?? []) as Record<string, unknown>[];
        const all = requests.map((r) => process(r['contentToProcess']));
        const missing =
          all.find((p) => p.missing)?.missing ??
          (requests.some((r) => !r['userId'] || !r['requestId']) ? 'userId' : undefined);
        if (missing) return bad(res, missing);
        if (raw.length > 2_000_000 || all.reduce((n, p) => n + p.entries, 0) > 64)
          return reply(res, 413, { error: { code: 'tooLarge' } });
        return reply(res, 202, { value: requests.map((r) => ({ id: r['requestId'], status: 202 })) });
      }
      reply(res, 404, { error: { code: 'notFound' } });
    });
  };
}

/** Starts it in this process. */
export async function startPurview(o: PurviewOptions): Promise<Listening & { seen: PurviewSeen[] }> {
  const seen: PurviewSeen[] = [];
  let url = '';
  const listening = await listen(purviewHandler(o, () => url, seen));
  url = listening.url;
  return { ...listening, seen };
}

if (import.meta.main) {
  const { port, tenant, client, secret } = standInArgs(['tenant', 'client', 'secret']);
  const restrict = (text: string): 'block' | undefined =>
    /\b4111 ?1111 ?1111 ?1111\b/.test(text) ? 'block' : undefined;
  const o: PurviewOptions = {
    tenant: tenant ?? 'tenant',
    clientId: client ?? randomUUID(),
    secrets: secret === undefined ? [] : [secret],
    restrict,
  };
  await serveStandIn(port, (url) => purviewHandler(o, () => url));
}
