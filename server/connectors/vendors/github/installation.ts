import { importPKCS8, SignJWT } from 'jose';
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '#kernel/secret.ts';
import { GrantRefused, type Minting, type OrganizationGrant } from '#vault/organization-grant.ts';

/** Of an app's JWT. GitHub takes at most ten minutes; the minute before is for its clock. */
const JWT_SECONDS = 8 * 60;
const JWT_EARLIER_SECONDS = 60;

const Installation = z.strictObject({
  client_id: z
    .string()
    .regex(/^[A-Za-z0-9.]{1,60}$/)
    .describe('The client ID of the GitHub App (or its app ID), on the app\'s page "General"'),
  installation_id: z
    .string()
    .regex(/^[1-9][0-9]{0,18}$/)
    .describe(
      'The number at the end of the address of the installation: github.com/organizations/<name>/settings/installations/<number>',
    ),
  private_key: z
    .string()
    .max(20_000)
    .refine(isRsaKey, 'expected the whole private key in PEM form, as GitHub gave it')
    .describe('A private key of the app in PEM form, made on the app\'s page "General" under "Private keys"'),
});
type Installation = z.output<typeof Installation>;

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

/** What a connector of an access level may do at all. A call has less (repository.ts). */
const most = {
  read_only: { metadata: 'read', contents: 'read', issues: 'read', pull_requests: 'read' },
  read_write: { metadata: 'read', contents: 'write', issues: 'write', pull_requests: 'write' },
} as const;

const Narrow = z.object({
  repositories: z.array(z.string()).min(1).max(500),
  permissions: z.record(z.string(), z.enum(['read', 'write'])),
});
const Token = z.looseObject({ token: z.string(), expires_at: z.string() });
const Shown = z.looseObject({
  account: z.looseObject({ login: z.string(), id: z.number() }),
  suspended_at: z.string().nullish(),
});

/** An installation of a GitHub App: one organization's consent to one app. Its tokens live for an hour and are asked for per use. */
export const installation: OrganizationGrant = {
  kind: 'app_installation',
  name: 'Installation of a GitHub App',
  fields: Installation,
  shown(fields) {
    const { client_id, installation_id } = Installation.parse(fields);
    return { client_id, installation_id };
  },
  actsAs: ['organization'],
  async mint(m) {
    const fields = Installation.parse(m.fields);
    const jwt = await appJwt(fields, m.now);
    const at = `${m.origin('api')}/app/installations/${fields.installation_id}`;
    const narrow = m.narrow === undefined ? undefined : Narrow.parse(m.narrow);
    // Whose it is and whether it is suspended: asked for where the whole of it is wanted, which is at the beginning of each call and daily.
    const shown = narrow ? undefined : Shown.parse(await answered(m, jwt, 'GET', at, undefined));
    if (shown && typeof shown.suspended_at === 'string')
      throw new GrantRefused(
        'app',
        `the installation in ${shown.account.login} is suspended; somebody there has to unsuspend it at GitHub`,
      );
    const token = Token.parse(
      await answered(m, jwt, 'POST', `${at}/access_tokens`, {
        permissions: within(narrow?.permissions ?? most[m.access], m.access),
        ...(narrow ? { repositories: narrow.repositories } : {}),
      }),
    );
    return {
      token: new Secret(token.token),
      expiresIn: Math.max(1, Math.floor((Date.parse(token.expires_at) - m.now.getTime()) / 1000)),
      facts: shown
        ? {
            installation: fields.installation_id,
            installation_account: shown.account.login,
            installation_account_id: String(shown.account.id),
          }
        : {},
    };
  },
};

/** INVARIANT (no more than the access): whatever a call asks for, a connector that only reads gets no token that writes. */
function within(wanted: Readonly<Record<string, 'read' | 'write'>>, access: Minting['access']): Record<string, string> {
  if (access === 'read_write') return { ...wanted };
  return Object.fromEntries(
    Object.keys(wanted)
      .filter((p) => p in most.read_only)
      .map((p) => [p, 'read']),
  );
}

/** RS256, as docs.github.com/apps/…/generating-a-json-web-token-jwt-for-a-github-app says. GitHub's keys are PKCS#1, jose wants PKCS#8. */
async function appJwt(fields: Installation, now: Date): Promise<string> {
  const pem = createPrivateKey(fields.private_key).export({ type: 'pkcs8', format: 'pem' }).toString();
  const at = Math.floor(now.getTime() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(fields.client_id)
    .setIssuedAt(at - JWT_EARLIER_SECONDS)
    .setExpirationTime(at + JWT_SECONDS)
    .sign(await importPKCS8(pem, 'RS256'));
}

async function answered(m: Minting, jwt: string, method: 'GET' | 'POST', url: string, body: unknown): Promise<unknown> {
  const answer = await m.fetch(url, {
    method,
    headers: {
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': 'gatehouse/0.1.0',
      authorization: `Bearer ${jwt}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said: unknown = await answer.json().catch(() => undefined);
  if (answer.status >= 200 && answer.status < 300) return said;
  const message =
    z.looseObject({ message: z.string() }).safeParse(said).data?.message.slice(0, 200) ?? `status ${answer.status}`;
  switch (answer.status) {
    case 401:
      throw new GrantRefused(
        'app',
        `GitHub does not accept the private key for this app (${message}); make a new one there and enter it`,
      );
    case 404:
      throw new GrantRefused(
        'app',
        `GitHub knows no such installation of this app (${message}); was it removed from the organization?`,
      );
    case 422:
      throw new GrantRefused(
        'later',
        `the installation does not have what the call needs: a repository it was not given, or a permission (${message})`,
      );
    case 403:
      throw new GrantRefused(
        /rate limit/i.test(message) ? 'later' : 'app',
        `GitHub refuses a token of this installation (${message})`,
      );
    default:
      throw new GrantRefused('later', `GitHub gives no token of the installation now (${message})`);
  }
}
