// Microsoft 365 on the loopback address: the login of Entra for one tenant and Graph v1.0 with files, mail and calendars. See the parts for the
// pages that they follow (microsoft-login.ts, -graph.ts, -files.ts, -mail.ts).
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { pemOf, selfSigned } from '#kernel/self-signed.ts';
import { microsoftFiles } from './microsoft-files.ts';
import { GraphSays, list, need, picked, userOf, type GraphCall } from './microsoft-graph.ts';
import { microsoftLogin } from './microsoft-login.ts';
import { microsoftMail } from './microsoft-mail.ts';
import { DOMAIN, microsoftWorld, SITE_SALES, TENANT, type MsApp, type MsWorld } from './microsoft-world.ts';
import { bearerOf, serveVendor, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

export type MicrosoftStandIn = VendorStandIn & {
  world: MsWorld;
  registration: MsApp;
  /** Accounts of other tenants get through Entra here, so that it is our own look at the tenant that stops them. */
  lenient: boolean;
  /** What Conditional Access says to whoever signs in or renews: an AADSTS number. */
  blocked: number | undefined;
  /** The next `times` requests to Graph are told to wait. */
  throttle(seconds: number, times?: number): void;
  /** The consent is taken from the app. */
  withdraw(account: string): void;
  /** Another key pair with its certificate, which the app does not know. */
  otherCertificate(): { certificate: string; private_key: string };
};

const applicationFields = ['id', 'appId', 'displayName', 'passwordCredentials', 'keyCredentials'];
const userFields = ['id', 'displayName', 'mail', 'userPrincipalName', 'userType', 'givenName', 'surname', 'jobTitle'];
const organizationFields = ['id', 'displayName', 'verifiedDomains', 'tenantType'];

function keyPair(name: string, ends: Date): { certificate: string; private_key: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = selfSigned(privateKey, { name, notBefore: new Date(Date.now() - 86_400_000), notAfter: ends });
  return {
    certificate: pemOf(certificate).trim(),
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim(),
  };
}

export async function startMicrosoft(): Promise<MicrosoftStandIn> {
  const world = microsoftWorld();
  const clientId = randomUUID();
  const year = new Date(Date.now() + 365 * 86_400_000);
  const secret = `8Q~${randomBytes(24).toString('base64url')}`;
  const key = keyPair('gatehouse', year);
  const registration: MsApp = {
    clientId,
    secrets: [{ value: secret, name: 'gatehouse', ends: year }],
    certificates: [{ pem: key.certificate, name: 'CN=gatehouse', ends: year }],
    redirects: new Set(),
    roles: new Set(['Sites.Selected']),
    siteGrants: new Map([[SITE_SALES, 'write']]),
    mailboxes: undefined,
    disabled: false,
    adminConsentOnly: false,
  };
  let ahead = 0;
  let throttled = { seconds: 0, times: 0 };
  const now = (): number => Math.floor(Date.now() / 1000) + ahead;
  const login = microsoftLogin({
    world,
    app: registration,
    visitor: () => standIn.visitor,
    now,
    origins: () => standIn.origins,
    lenient: () => standIn.lenient,
    blocked: () => standIn.blocked,
  });
  const files = microsoftFiles(new Map());
  const mail = microsoftMail();

  function graph(r: SeenRequest): Said {
    if (!r.path.startsWith('/v1.0/')) throw new GraphSays(400, 'BadRequest', 'Invalid version.');
    const bearer = bearerOf(r);
    const token = bearer === undefined ? undefined : login.tokens.get(bearer);
    const no = (why: string): GraphSays =>
      new GraphSays(401, 'InvalidAuthenticationToken', why, { 'www-authenticate': 'Bearer realm=""' });
    if (!token) throw no('Access token is empty or malformed.');
    if (token.ends <= now()) throw no('Lifetime validation failed, the token is expired.');
    if (token.revoked)
      throw no(
        'Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp',
      );
    if (throttled.times > 0) {
      throttled.times--;
      throw new GraphSays(429, 'TooManyRequests', 'Too many requests.', { 'retry-after': String(throttled.seconds) });
    }
    const c: GraphCall = { r, path: r.path.slice(5), token, world, api: standIn.origins['api'] ?? '', now };
    return directory(c) ?? files.handle(c) ?? mail(c) ?? unknown();
  }
  const unknown = (): never => {
    throw new GraphSays(400, 'BadRequest', 'Resource not found for the segment.');
  };

  function directory(c: GraphCall): Said | undefined {
    if (c.r.method !== 'GET') return undefined;
    if (c.path === '/me') {
      need(c, ['User.Read'], [], 'Authorization_RequestDenied');
      const u = userOf(c, 'me');
      return {
        json: picked(
          c,
          { id: u.oid, displayName: u.name, mail: u.mail, userPrincipalName: u.upn, userType: 'Member' },
          userFields,
        ),
      };
    }
    if (c.path === '/organization') {
      need(c, ['User.Read'], ['Organization.Read.All', 'Directory.Read.All'], 'Authorization_RequestDenied');
      const tenant = c.token.kind === 'person' ? c.token.user.tenant : TENANT;
      const name = tenant === TENANT ? DOMAIN : 'evil.example';
      return list([
        picked(
          c,
          { id: tenant, displayName: 'Acme', verifiedDomains: [{ name, isDefault: true }] },
          organizationFields,
        ),
      ]);
    }
    const app = /^\/applications\(appId='([^']+)'\)$/.exec(c.path)?.[1];
    if (app !== undefined) {
      need(
        c,
        ['Application.Read.All'],
        ['Application.Read.All', 'Application.ReadWrite.OwnedBy'],
        'Authorization_RequestDenied',
      );
      if (app !== clientId) throw new GraphSays(404, 'Request_ResourceNotFound', `Resource '${app}' does not exist.`);
      const shown = (of: { name: string; ends: Date; value?: string }[]): unknown[] =>
        of.map((x) => ({
          keyId: randomUUID(),
          displayName: x.name,
          endDateTime: x.ends.toISOString(),
          ...(x.value === undefined ? {} : { hint: x.value.slice(0, 3) }),
        }));
      const whole = {
        id: randomUUID(),
        appId: clientId,
        passwordCredentials: shown(registration.secrets),
        keyCredentials: shown(registration.certificates),
      };
      return { json: picked(c, whole, applicationFields) };
    }
    return undefined;
  }

  const server = await serveVendor(['login', 'api'], async (r) => {
    if (r.at === 'login') return login.answer(r);
    try {
      return r.path.startsWith('/_layouts/') ? files.download(r) : graph(r);
    } catch (e) {
      if (e instanceof GraphSays) return e.said;
      throw e;
    }
  });

  const standIn: MicrosoftStandIn = {
    origins: server.origins,
    settings: { tenant: TENANT },
    app: { clientId, clientSecret: secret },
    registerRedirect: (uri) => void registration.redirects.add(uri),
    accounts: {
      entra_certificate: { client_id: clientId, ...key },
      entra_secret: { client_id: clientId, client_secret: secret },
    },
    visitor: { account: 'ada', answer: 'allow' },
    advance(seconds) {
      ahead += seconds;
    },
    endGrants: (account) => login.end(account),
    get fault() {
      return server.fault;
    },
    set fault(f) {
      server.fault = f;
    },
    get seen() {
      return server.seen;
    },
    close: () => server.close(),
    world,
    registration,
    lenient: false,
    blocked: undefined,
    throttle(seconds, times = 1) {
      throttled = { seconds, times };
    },
    withdraw: (account) => void login.withdraw(account),
    otherCertificate: () => keyPair('other', year),
  };
  return standIn;
}
