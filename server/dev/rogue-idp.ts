// An identity provider that a test has in its hand: honest by default (PKCE, client secret, one use per code), and able to say anything else.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createRemoteJWKSet,
  EncryptJWT,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';

type Claims = Record<string, unknown>;
export type Says = {
  /** Changes what an honest token would say. */
  claims?: (honest: Claims) => Claims;
  /** How the token is signed: by our key; by another with our kid; by another that the header brings along, in itself or by an address; with the client secret; encrypted and not signed; not at all. */
  signed?:
    | 'rightly'
    | 'by-stranger'
    | 'by-embedded-key'
    | 'by-key-at-address'
    | 'by-certificate-at-address'
    | 'with-secret'
    | 'encrypted'
    | 'none'
    | 'unknown-kid';
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
  /** What the browser, or the pushed request behind its address, asked for. */
  askedFor(authorizationUrl: string | URL): URLSearchParams;
  /** Changes what the key set answers. */
  keySet: { status: number; body: string | undefined };
  /** Goes on to a new signing key; the one before stays in the key set if it is kept. Returns its kid. */
  rotate(keep: boolean): Promise<string>;
  /** Where the client's public keys are; set, it takes `private_key_jwt` beside the secret. */
  clientKeys: string | undefined;
  /** Assertions with which the client proved itself. */
  assertions: JWTPayload[];
  /** What pushed requests are answered with instead. */
  refusePush: boolean;
  /** A logout token. */
  logoutToken(claims: (honest: Claims) => Claims, how?: NonNullable<Says['signed']>, typ?: string): Promise<string>;
  /** An assertion that an agent may act for somebody (ID-JAG); whom, where and as which client is the caller's to say. */
  idJag(claims: (honest: Claims) => Claims, how?: NonNullable<Says['signed']>, typ?: string): Promise<string>;
  stop(): Promise<void>;
};

const body = async (req: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  for await (const c of req) chunks.push(Buffer.from(c as Uint8Array));
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

export async function startRogueIdp(): Promise<RogueIdp> {
  let ours = await generateKeyPair('RS256', { extractable: true });
  let kid = 'k1';
  const stranger = await generateKeyPair('RS256', { extractable: true });
  const jwkOf = async (): Promise<JWK> => ({ ...(await exportJWK(ours.publicKey)), kid, use: 'sig', alg: 'RS256' });
  let jwks: JWK[] = [await jwkOf()];
  const pushed = new Map<string, URLSearchParams>();
  const clientId = 'gatehouse';
  const clientSecret = randomBytes(24).toString('base64url');
  const codes = new Map<string, { challenge: string; nonce: string; subject: string; says: Says }>();
  const asked = new Map<string, number>();
  const discovery: Record<string, unknown> = {};

  const token = async (claims: Claims, how: NonNullable<Says['signed']>, typ?: string): Promise<string> => {
    if (how === 'encrypted')
      return new EncryptJWT(claims).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(randomBytes(32));
    if (how === 'none') {
      // The library writes no type into an unsigned one; what forges would.
      const [, body = ''] = new UnsecuredJWT(claims).encode().split('.');
      const header = { alg: 'none', ...(typ === undefined ? {} : { typ }) };
      return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${body}.`;
    }
    if (how === 'with-secret')
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', ...(typ === undefined ? {} : { typ }) })
        .sign(Buffer.from(clientSecret));
    const header = {
      alg: 'RS256',
      ...(typ === undefined ? {} : { typ }),
      kid: how === 'unknown-kid' ? 'nobody' : kid,
      ...(how === 'by-key-at-address' ? { jku: `${issuer}/evil-jwks` } : {}),
      ...(how === 'by-certificate-at-address' ? { x5u: `${issuer}/evil-x5u` } : {}),
      ...(how === 'by-embedded-key' ? { jwk: await exportJWK(stranger.publicKey) } : {}),
    };
    const key: CryptoKey = how === 'rightly' ? ours.privateKey : stranger.privateKey;
    return new SignJWT(claims).setProtectedHeader(header).sign(key);
  };

  let issuer = '';
  const isClient = async (req: IncomingMessage, form: URLSearchParams, endpoint: string): Promise<boolean> => {
    const assertion = form.get('client_assertion');
    if (assertion !== null && self.clientKeys !== undefined) {
      const { payload } = await jwtVerify(assertion, createRemoteJWKSet(new URL(self.clientKeys)), {
        issuer: clientId,
        subject: clientId,
        audience: [issuer, endpoint],
        algorithms: ['ES256'],
        requiredClaims: ['jti', 'exp'],
      });
      self.assertions.push(payload);
      return true;
    }
    const basic = Buffer.from(req.headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString();
    return basic.split(':').map(decodeURIComponent).join(':') === `${clientId}:${clientSecret}`;
  };
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
    if (pathname === '/jwks') {
      if (self.keySet.body === undefined) return send(self.keySet.status, { keys: jwks });
      res.writeHead(self.keySet.status, { 'content-type': 'application/json' }).end(self.keySet.body);
      return undefined;
    }
    if (pathname !== '/token' && pathname !== '/par') return send(404, {});
    const form = await body(req);
    if (!(await isClient(req, form, `${issuer}${pathname}`))) return send(401, { error: 'invalid_client' });
    if (pathname === '/par') {
      if (self.refusePush) return send(400, { error: 'invalid_request' });
      const uri = `urn:ietf:params:oauth:request_uri:${randomBytes(8).toString('hex')}`;
      pushed.set(uri, form);
      return send(201, { request_uri: uri, expires_in: 60 });
    }
    const grant = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
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

  const askedFor = (authorizationUrl: string | URL): URLSearchParams => {
    const { searchParams } = new URL(authorizationUrl);
    return pushed.get(searchParams.get('request_uri') ?? '') ?? searchParams;
  };
  const self: RogueIdp = {
    keySet: { status: 200, body: undefined },
    clientKeys: undefined,
    assertions: [],
    refusePush: false,
    askedFor,
    async rotate(keep) {
      ours = await generateKeyPair('RS256', { extractable: true });
      kid = `k${Number(kid.slice(1)) + 1}`;
      jwks = [...(keep ? jwks : []), await jwkOf()];
      return kid;
    },
    logoutToken(claims, how = 'rightly', typ = 'logout+jwt') {
      const now = Math.floor(Date.now() / 1000);
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      const honest = {
        iss: issuer,
        aud: clientId,
        iat: now,
        exp: now + 120,
        jti: randomBytes(8).toString('hex'),
        events,
      };
      return token(claims(honest), how, typ);
    },
    idJag(claims, how = 'rightly', typ = 'oauth-id-jag+jwt') {
      const now = Math.floor(Date.now() / 1000);
      return token(claims({ iss: issuer, iat: now, exp: now + 300, jti: randomBytes(8).toString('hex') }), how, typ);
    },
    issuer,
    clientId,
    clientSecret,
    discovery,
    asked,
    signIn(authorizationUrl, subject, says = {}) {
      const q = askedFor(authorizationUrl);
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
  return self;
}
