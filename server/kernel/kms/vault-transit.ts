import { z } from 'zod';
import type { Egress } from '../egress.ts';
import { MiB } from '../limits.ts';
import { Problem } from '../problem.ts';
import type { Secret } from '../secret.ts';
import { KmsRefusal, type KeyPlace, type KeyProvider } from './kms.ts';

/** How we prove ourselves to Vault. Secrets are read anew at each login, because agents replace such files. */
export type VaultLogin =
  | { by: 'token'; token(): Promise<Secret> }
  | { by: 'approle'; mount: string; roleId: string; secretId(): Promise<Secret> }
  | { by: 'kubernetes'; mount: string; role: string; jwt(): Promise<Secret> };

export type VaultTransit = {
  /** Origin of the server, e.g. `https://vault.example:8200`. */
  address: string;
  /** The host may lie inside the network, or be asked by plain http. */
  private: boolean;
  ca?: string | undefined;
  namespace?: string | undefined;
  mount: string;
  key: string;
  /** The key was made with `derived=true`: each of our scopes then has a key of its own inside Vault. */
  derived: boolean;
  login: VaultLogin;
};

const LoginAnswer = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number() }),
});
const Cipher = z.object({ data: z.object({ ciphertext: z.string().regex(/^vault:v\d+:[A-Za-z0-9+/=]+$/) }) });
const Plain = z.object({ data: z.object({ plaintext: z.base64() }) });
const Errors = z.object({ errors: z.array(z.string()) });

/** A key service that does not answer within this is treated as away; a start and a cold cache wait for it. */
const TIMEOUT_MS = 10_000;
/** A token is replaced when less than this part of its time is left. */
const RENEW_PART = 1 / 3;

/**
 * HashiCorp Vault's Transit engine (and OpenBao's): `/v1/<mount>/encrypt|decrypt|rewrap/<key>`. Vault is believed about one thing: that it
 * gives back what it was given. Where a wrapped key belongs is inside of it, because Vault cannot rewrap what has associated data; with a
 * derived key, Vault checks it too.
 */
export function vaultTransit(
  v: VaultTransit,
  egress: Egress,
  name: string,
  clock = (): number => performance.now(),
): KeyProvider {
  const rules = {
    maxBytes: MiB,
    timeoutMs: TIMEOUT_MS,
    ...(v.private ? { allowPrivate: [new URL(v.address).host] } : {}),
    ...(v.ca === undefined ? {} : { ca: v.ca }),
  };
  let session: { token: string; until: number; renew: number } | undefined;
  let loggingIn: Promise<string> | undefined;

  const post = async (path: string, body: object, token: string | undefined): Promise<Answer> => {
    try {
      const r = await egress.fetch(
        `${v.address}/v1/${path}`,
        {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-vault-request': 'true',
            ...(token === undefined ? {} : { 'x-vault-token': token }),
            ...(v.namespace === undefined ? {} : { 'x-vault-namespace': v.namespace }),
          },
          body: JSON.stringify(body),
        },
        rules,
      );
      const text = await r.text();
      let json: unknown;
      try {
        json = JSON.parse(text);
      } catch {
        json = undefined;
      }
      return { status: r.status, json };
    } catch (e) {
      throw new KmsRefusal('unreachable', e instanceof Problem ? e.says : 'Vault does not answer', e);
    }
  };

  const login = async (): Promise<string> => {
    const { login: l } = v;
    if (l.by === 'token') return (await readable(l.token())).reveal().trim();
    const now = clock();
    if (session && session.renew > now) return session.token;
    const body =
      l.by === 'approle'
        ? { role_id: l.roleId, secret_id: (await readable(l.secretId())).reveal().trim() }
        : { role: l.role, jwt: (await readable(l.jwt())).reveal().trim() };
    const answer = await post(`auth/${l.mount}/login`, body, undefined);
    const parsed = LoginAnswer.safeParse(answer.json);
    if (answer.status !== 200 || !parsed.success) {
      // What Vault still honours is better than nothing while it cannot log us in.
      if (session && session.until > now && !wontLogIn(answer)) return session.token;
      throw refusalOf(answer, `to log in by ${l.by}`, wontLogIn(answer) ? 'gone' : undefined);
    }
    const { client_token: token, lease_duration: seconds } = parsed.data.auth;
    const ms = seconds > 0 ? seconds * 1000 : Infinity;
    session = { token, until: now + ms, renew: now + ms * (1 - RENEW_PART) };
    return token;
  };

  const token = (): Promise<string> => (loggingIn ??= login().finally(() => (loggingIn = undefined)));

  const ask = async <T>(what: 'encrypt' | 'decrypt' | 'rewrap', body: object, form: z.ZodType<T>): Promise<T> => {
    const path = `${v.mount}/${what}/${v.key}`;
    const used = await token();
    let answer = await post(path, body, used);
    // A token that was revoked or ended looks like a missing policy. Once more with a fresh one tells them apart.
    if (answer.status === 403) {
      if (session?.token === used) session = undefined;
      const fresh = await token();
      if (fresh !== used) answer = await post(path, body, fresh);
    }
    const parsed = form.safeParse(answer.json);
    if (answer.status === 200 && parsed.success) return parsed.data;
    throw refusalOf(answer, `to ${what} with ${v.mount}/${v.key}`);
  };

  const context = (place: KeyPlace): { context?: string } =>
    v.derived ? { context: Buffer.from(`gatehouse ${place.scope} ${place.generation}`).toString('base64') } : {};

  return {
    name,
    async wrap(bytes, place) {
      const plaintext = Buffer.from(bytes).toString('base64');
      const { data } = await ask('encrypt', { plaintext, ...context(place) }, Cipher);
      return Buffer.from(data.ciphertext);
    },
    async unwrap(wrapped, place) {
      const ciphertext = Buffer.from(wrapped).toString();
      const { data } = await ask('decrypt', { ciphertext, ...context(place) }, Plain);
      return Buffer.from(data.plaintext, 'base64');
    },
    async rewrap(wrapped, place) {
      const ciphertext = Buffer.from(wrapped).toString();
      const { data } = await ask('rewrap', { ciphertext, ...context(place) }, Cipher);
      return Buffer.from(data.ciphertext);
    },
  };
}

/** The deployment's name for a Transit key: Vault may move to another address and stays the same Vault. */
export const vaultKeyName = (v: Pick<VaultTransit, 'namespace' | 'mount' | 'key'>): string =>
  `vault-transit:${v.namespace === undefined ? '' : `${v.namespace}/`}${v.mount}/${v.key}`;

type Answer = { status: number; json: unknown };

const errorsOf = (a: Answer): string[] => Errors.safeParse(a.json).data?.errors ?? [];
const wontLogIn = (a: Answer): boolean => a.status === 400 || a.status === 403 || a.status === 404;

/** Our own file, not Vault's answer: nothing is lost that a restored file does not bring back. */
const readable = (file: Promise<Secret>): Promise<Secret> =>
  file.catch((e: unknown) => {
    throw new KmsRefusal('unreachable', 'the file with what proves us to Vault cannot be read', e);
  });

/**
 * 403: no policy lets us any more. 404: no engine there. 400 is Vault's word for a key that was deleted, a version below
 * min_decryption_version, and for ciphertext that is not its own, which is thrown as it is: the row was altered.
 */
function refusalOf(a: Answer, asked: string, why?: 'gone'): Error {
  const said = errorsOf(a).join('; ').slice(0, 200);
  const says = `Vault was asked ${asked} and answers ${a.status}${said === '' ? '' : ` (${said})`}`;
  if (why) return new KmsRefusal(why, says);
  if (a.status === 403 || a.status === 404) return new KmsRefusal('gone', says);
  if (a.status === 400)
    return /encryption key not found|disallowed by policy|no handler for route|unsupported path/.test(said)
      ? new KmsRefusal('gone', says)
      : new Error(says);
  return new KmsRefusal('unreachable', says);
}
