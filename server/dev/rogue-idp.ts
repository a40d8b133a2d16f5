// An identity provider that a test has in its hand: honest by default (PKCE, client secret, one use per code), and able to say anything else.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose';

type Claims = Record<string, unknown>;
export type Says = {
  /** Changes what an honest token would say. */
  claims?: (honest: Claims) => Claims;
  /** How the token is signed: by our key; by another with our kid; by another that the header brings along; with the client secret; not at all. */
  signed?: 'rightly' | 'by-stranger' | 'by-embedded-key' | 'with-secret' | 'none' | 'unknown-kid';
  /** What the token endpoint answers instead of tokens. */
  instead?: { status: number; body: string; type?: string };
  /** What stands in the address back, beside or instead of code, state and iss. */
  back?: (honest: URLSearchParams) => URLSearchParams;
};

export type RogueIdp = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Parts of the discovery document that are told differently. */
  discovery: Record<string, unknown>;
  /** Requests by path. */
  asked: Map<string, number>;
  /** A person signs in at the address that the browser was sent to; returns the query of the way back. */
  signIn(authorizationUrl: string | URL, subject: string, says?: Says): URLSearchParams;
  stop(): Promise<void>;
};

const body = async (req: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  for await (const c of req) chunks.push(Buffer.from(c as Uint8Array));
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

export async function startRogueIdp(): Promise<RogueIdp> {
  const ours = await generateKeyPair('RS256', { extractable: true });
  const stranger = await generateKeyPair('RS256', { extractable: true });
  const jwk: JWK = { ...(await exportJWK(ours.publicKey)), kid: 'k1', use: 'sig', alg: 'RS256' };
  const clientId = 'gatehouse';
  const clientSecret = randomBytes(24).toString('base64url');
  const codes = new Map<string, { challenge: string; nonce: string; subject: string; says: Says }>();
  const asked = new Map<string, number>();
  const discovery: Record<string, unknown> = {};

  const token = async (claims: Claims, how: NonNullable<Says['signed']>): Promise<string> => {
    if (how === 'none') return new UnsecuredJWT(claims).encode();
    if (how === 'with-secret')
      return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(clientSecret));
    const header = {
      alg: 'RS256',
      kid: how === 'unknown-kid' ? 'k2' : 'k1',
      ...(how === 'by-embedded-key' ? { jwk: await exportJWK(stranger.publicKey) } : {}),
    };
    const key: CryptoKey = how === 'rightly' ? ours.privateKey : stranger.privateKey;
    return new SignJWT(claims).setProtectedHeader(header).sign(key);
  };

  let issuer = '';
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { pathname } = new URL(req.url ?? '/', issuer);
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1);
    const send = (status: number, value: unknown): void => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (pathname === '/.well-known/openid-configuration')
      return send(200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        ...discovery,
      });
    if (pathname === '/jwks') return send(200, { keys: [jwk] });
    if (pathname !== '/token') return send(404, {});
    const form = await body(req);
    const grant = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const basic = Buffer.from(req.headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString();
    if (basic.split(':').map(decodeURIComponent).join(':') !== `${clientId}:${clientSecret}`)
      return send(401, { error: 'invalid_client' });
    if (!grant || sha256(form.get('code_verifier') ?? '') !== grant.challenge)
      return send(400, { error: 'invalid_grant', error_description: 'the code is not of this sign-in' });
    const { instead } = grant.says;
    if (instead) {
      res.writeHead(instead.status, { 'content-type': instead.type ?? 'application/json' }).end(instead.body);
      return undefined;
    }
    const now = Math.floor(Date.now() / 1000);
    const honest = { iss: issuer, aud: clientId, sub: grant.subject, iat: now, exp: now + 300, nonce: grant.nonce };
    const claims = grant.says.claims?.(honest) ?? honest;
    return send(200, {
      access_token: randomBytes(16).toString('hex'),
      token_type: 'Bearer',
      expires_in: 300,
      id_token: await token(claims, grant.says.signed ?? 'rightly'),
    });
  };
  const server = createServer((req, res) => void answer(req, res).catch(() => res.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer,
    clientId,
    clientSecret,
    discovery,
    asked,
    signIn(authorizationUrl, subject, says = {}) {
      const { searchParams: q } = new URL(authorizationUrl);
      const code = randomBytes(16).toString('hex');
      codes.set(code, { challenge: q.get('code_challenge') ?? '', nonce: q.get('nonce') ?? '', subject, says });
      const honest = new URLSearchParams({ code, state: q.get('state') ?? '', iss: issuer });
      return says.back?.(honest) ?? honest;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
