import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type Listening } from '../listening-server.ts';

/**
 * HashiCorp Vault as its API documentation describes the parts that we use: auth/token, auth/approle, auth/kubernetes
 * (developer.hashicorp.com/vault/api-docs/auth) and the Transit engine (…/api-docs/secret/transit). It refuses what Vault refuses, in Vault's
 * words: no token, a token of another namespace, a key that is not there, a version below min_decryption_version, ciphertext that is not its own.
 */
export type VaultStandIn = Listening & {
  /** A token that may do what `policy` says of key `key`. */
  token(options?: { key?: string; namespace?: string; seconds?: number; uses?: number }): string;
  revoke(token: string): void;
  /** Makes a key, or a new version of it. */
  rotate(key: string, options?: { derived?: boolean }): void;
  configure(key: string, min: { minDecryptionVersion: number }): void;
  remove(key: string): void;
  approle: { roleId: string; secretId: string };
  kubernetes: { role: string; jwt: string };
  /** `sealed`: 503 as a Vault that was restarted; `silent`: accepts and never answers; `up` again. */
  state: 'up' | 'sealed' | 'silent';
  /** What came, e.g. `POST transit/encrypt/gatehouse`. */
  requests: string[];
};

type Key = { versions: Buffer[]; min: number; derived: boolean };
type Token = { key: string; namespace: string; until: number };

export async function vaultStandIn(mount = 'transit'): Promise<VaultStandIn> {
  const keys = new Map<string, Key>();
  const tokens = new Map<string, Token>();
  const approle = { roleId: randomUUID(), secretId: randomUUID() };
  const kubernetes = { role: 'gatehouse', jwt: `ey.${randomBytes(12).toString('base64url')}.sig` };

  const answer = (res: ServerResponse, status: number, body: object): void => {
    res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    res.end(JSON.stringify({ request_id: randomUUID(), ...body }));
  };
  /** Undefined, so that whoever has nothing to return can return this. */
  const refuse = (res: ServerResponse, status: number, ...errors: string[]): undefined => {
    answer(res, status, { errors });
  };

  const issue = (o: { key?: string; namespace?: string; seconds?: number } = {}): string => {
    const token = `hvs.${randomBytes(18).toString('base64url')}`;
    tokens.set(token, {
      key: o.key ?? 'gatehouse',
      namespace: o.namespace ?? '',
      until: Date.now() + (o.seconds ?? 3600) * 1000,
    });
    return token;
  };
  const of = (key: Key, version: number, context: Buffer | undefined): Buffer => {
    const raw = key.versions[version - 1] ?? Buffer.alloc(32);
    return key.derived
      ? createHmac('sha256', raw)
          .update(context ?? Buffer.alloc(0))
          .digest()
      : raw;
  };

  const login = (res: ServerResponse, path: string, b: Record<string, unknown>): void => {
    const known =
      path === 'auth/approle/login'
        ? b['role_id'] === approle.roleId && b['secret_id'] === approle.secretId
        : b['role'] === kubernetes.role && b['jwt'] === kubernetes.jwt;
    if (!known)
      return path === 'auth/approle/login'
        ? refuse(res, 400, 'invalid role or secret ID')
        : refuse(res, 403, 'permission denied');
    answer(res, 200, { auth: { client_token: issue(), lease_duration: 3600, renewable: true, token_type: 'service' } });
  };

  const transit = (res: ServerResponse, what: string, name: string, b: Record<string, unknown>): void => {
    const key = keys.get(name);
    // Vault makes a missing key at encrypt where the policy lets the caller create it; ours does not.
    if (!key)
      return refuse(
        res,
        what === 'encrypt' ? 403 : 400,
        what === 'encrypt' ? '1 error occurred:\n\t* permission denied\n\n' : 'encryption key not found',
      );
    const context = typeof b['context'] === 'string' ? Buffer.from(b['context'], 'base64') : undefined;
    if (key.derived && !context?.length)
      return refuse(
        res,
        400,
        "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key",
      );
    const seal = (plain: Buffer): string => {
      const iv = randomBytes(12);
      const c = createCipheriv('aes-256-gcm', of(key, key.versions.length, context), iv);
      return `vault:v${key.versions.length}:${Buffer.concat([iv, c.update(plain), c.final(), c.getAuthTag()]).toString('base64')}`;
    };
    const open = (): Buffer | undefined => {
      const [, v = '', text = ''] = /^vault:v(\d+):([A-Za-z0-9+/=]+)$/.exec(String(b['ciphertext'])) ?? [];
      if (v === '') return refuse(res, 400, 'invalid ciphertext: no prefix');
      if (Number(v) > key.versions.length) return refuse(res, 400, 'invalid ciphertext: version is too new');
      if (Number(v) < key.min)
        return refuse(res, 400, 'ciphertext or signature version is disallowed by policy (too old)');
      const raw = Buffer.from(text, 'base64');
      try {
        const d = createDecipheriv('aes-256-gcm', of(key, Number(v), context), raw.subarray(0, 12));
        d.setAuthTag(raw.subarray(-16));
        return Buffer.concat([d.update(raw.subarray(12, -16)), d.final()]);
      } catch {
        return refuse(res, 400, 'cipher: message authentication failed');
      }
    };
    if (what === 'encrypt') {
      if (typeof b['plaintext'] !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(b['plaintext']))
        return refuse(res, 400, 'failed to base64-decode plaintext: illegal base64 data at input byte 0');
      return answer(res, 200, {
        data: { ciphertext: seal(Buffer.from(b['plaintext'], 'base64')), key_version: key.versions.length },
      });
    }
    const plain = open();
    if (!plain) return;
    answer(res, 200, {
      data:
        what === 'decrypt'
          ? { plaintext: plain.toString('base64') }
          : { ciphertext: seal(plain), key_version: key.versions.length },
    });
  };

  const handle = (req: IncomingMessage, res: ServerResponse, text: string): void => {
    const path = (req.url ?? '').replace(/^\/v1\//, '');
    standIn.requests.push(`${req.method} ${path}`);
    if (standIn.state === 'sealed') return refuse(res, 503, 'Vault is sealed');
    if (standIn.state === 'silent') return;
    if (req.method !== 'POST' && req.method !== 'PUT') return refuse(res, 405, 'unsupported operation');
    let body: Record<string, unknown>;
    try {
      body = JSON.parse(text) as Record<string, unknown>;
    } catch {
      return refuse(res, 400, 'error parsing JSON');
    }
    if (path === 'auth/approle/login' || path === 'auth/kubernetes/login') return login(res, path, body);
    const token = tokens.get(String(req.headers['x-vault-token'] ?? ''));
    const namespace = String(req.headers['x-vault-namespace'] ?? '');
    const [, what = '', name = ''] = new RegExp(`^${mount}/(encrypt|decrypt|rewrap)/([^/]+)$`).exec(path) ?? [];
    if (!token || token.until < Date.now() || token.namespace !== namespace)
      return refuse(res, 403, 'permission denied', 'invalid token');
    if (what === '') return refuse(res, 404, 'no handler for route');
    if (token.key !== name) return refuse(res, 403, '1 error occurred:\n\t* permission denied\n\n');
    transit(res, what, name, body);
  };

  const listening = await listen((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c)).on('end', () => handle(req, res, Buffer.concat(chunks).toString()));
  });
  const standIn: VaultStandIn = {
    ...listening,
    token: issue,
    revoke: (token) => void tokens.delete(token),
    rotate(name, options) {
      const key = keys.get(name) ?? { versions: [], min: 1, derived: options?.derived ?? false };
      key.versions.push(randomBytes(32));
      keys.set(name, key);
    },
    configure(name, { minDecryptionVersion }) {
      const key = keys.get(name);
      if (key) key.min = minDecryptionVersion;
    },
    remove: (name) => void keys.delete(name),
    approle,
    kubernetes,
    state: 'up',
    requests: [],
  };
  return standIn;
}
