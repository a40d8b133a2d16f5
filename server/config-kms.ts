import { isAgentUrl } from '#kernel/kms/aws-credentials.ts';
import { parseKeyArn } from '#kernel/kms/aws-kms.ts';
import type { Problem } from '#kernel/problem.ts';

/** One key service, whole. Secrets are files or AWS's own variables; none of them is ever in an error. */
export type KmsGroup =
  | { kind: 'local'; file: string | undefined }
  | {
      kind: 'vault-transit';
      address: string;
      caFile: string | undefined;
      namespace: string | undefined;
      mount: string;
      key: string;
      derived: boolean;
      login:
        | { by: 'token'; tokenFile: string }
        | { by: 'approle'; mount: string; roleId: string; secretIdFile: string }
        | { by: 'kubernetes'; mount: string; role: string; jwtFile: string };
    }
  | {
      kind: 'aws-kms';
      key: string;
      endpoint: string | undefined;
      fips: boolean;
      identity:
        | { by: 'keys'; accessKeyId: string; secretAccessKey: string; sessionToken: string | undefined }
        | { by: 'web_identity'; role: string; session: string; tokenFile: string; endpoint: string | undefined }
        | { by: 'container'; url: string; token: string | undefined; tokenFile: string | undefined };
    };

export type KmsConfig = {
  /** Wraps what is new. */
  group: KmsGroup;
  /** What the deployment moves away from: opens, and wraps nothing new. */
  also: readonly KmsGroup[];
  /** For how long an unwrapped key may stay in a node's memory without asking its service again. */
  cacheSeconds: number;
};

type Variable = { name: string; says: string; default?: string };

const kinds = ['local', 'vault-transit', 'aws-kms'] as const;

export const kmsVariables: readonly Variable[] = [
  {
    name: 'GATEHOUSE_KMS',
    says: `What wraps the keys that seal secrets: ${kinds.join(', ')}. See docs/guides/keys.md before you change it.`,
    default: 'local',
  },
  {
    name: 'GATEHOUSE_KMS_ALSO',
    says: 'Key services that go on opening what they wrapped while the deployment moves away from them (or that it is about to move to), separated by commas.',
    default: 'none',
  },
  {
    name: 'GATEHOUSE_KEY_CACHE_SECONDS',
    says: 'For how many seconds an unwrapped key may stay in memory without asking its service again, from 10 to 3600: the time in which an organization that takes its own key back must be obeyed.',
    default: '300',
  },
  {
    name: 'GATEHOUSE_KEY_FILE',
    says: 'For local: file of the root key that seals secrets. Made at the first start; keep a copy apart from the database.',
    default: 'root.key in the data folder',
  },
  {
    name: 'GATEHOUSE_OLD_KEY_FILE',
    says: 'The root key before, while the deployment moves to another file (gatehouse keys move).',
  },
  {
    name: 'GATEHOUSE_VAULT_ADDR',
    says: 'For vault-transit: origin of the server, e.g. https://vault.example.com:8200.',
  },
  {
    name: 'GATEHOUSE_VAULT_CA_FILE',
    says: 'PEM file of the authorities that vouch for it, instead of the usual ones.',
  },
  { name: 'GATEHOUSE_VAULT_NAMESPACE', says: 'Namespace of the engine and of the login (Vault Enterprise, OpenBao).' },
  { name: 'GATEHOUSE_VAULT_MOUNT', says: 'Path of the Transit engine.', default: 'transit' },
  { name: 'GATEHOUSE_VAULT_KEY', says: 'Name of the Transit key, of type aes256-gcm96 or chacha20-poly1305.' },
  {
    name: 'GATEHOUSE_VAULT_DERIVED',
    says: 'on where the key was made with derived=true. Never changes afterwards.',
    default: 'off',
  },
  {
    name: 'GATEHOUSE_VAULT_AUTH',
    says: 'How the server logs in: token, approle or kubernetes.',
    default: 'token',
  },
  { name: 'GATEHOUSE_VAULT_TOKEN_FILE', says: 'For token: the file that an agent keeps a valid token in.' },
  { name: 'GATEHOUSE_VAULT_AUTH_MOUNT', says: 'Path of the login.', default: 'approle or kubernetes' },
  { name: 'GATEHOUSE_VAULT_ROLE_ID', says: 'For approle: the role id. Goes with GATEHOUSE_VAULT_SECRET_ID_FILE.' },
  { name: 'GATEHOUSE_VAULT_SECRET_ID_FILE', says: 'For approle: the file with the secret id.' },
  { name: 'GATEHOUSE_VAULT_ROLE', says: 'For kubernetes: the role.' },
  {
    name: 'GATEHOUSE_VAULT_JWT_FILE',
    says: 'For kubernetes: the file with the token of the service account.',
    default: '/var/run/secrets/kubernetes.io/serviceaccount/token',
  },
  {
    name: 'GATEHOUSE_AWS_KMS_KEY',
    says: 'For aws-kms: ARN of a symmetric key (no alias). Credentials are found as the tools of AWS find them: AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_CREDENTIALS_*.',
  },
  {
    name: 'GATEHOUSE_AWS_KMS_ENDPOINT',
    says: 'Origin of the API, where it is not that of the key’s region (a VPC endpoint).',
  },
  { name: 'GATEHOUSE_AWS_KMS_FIPS', says: 'on uses the FIPS endpoint of the key’s region.', default: 'off' },
  { name: 'GATEHOUSE_AWS_STS_ENDPOINT', says: 'Origin of STS, where it is not that of the key’s region.' },
];

type Get = (name: string) => string | undefined;
type Refuse = (variable: string, found: string, expected: string) => Problem;

/** Which variables belong to which kind: one that is set for a kind that nobody named is half of something. */
const groupOf: [RegExp, (typeof kinds)[number]][] = [
  [/^GATEHOUSE_VAULT_/, 'vault-transit'],
  [/^GATEHOUSE_AWS_/, 'aws-kms'],
];

/** Reads what wraps the keys: each named group whole, and no part of one that nobody named. */
export function readKms(get: Get, refuse: Refuse): KmsConfig {
  const kindOf = (variable: string, text: string): (typeof kinds)[number] => {
    const kind = kinds.find((k) => k === text);
    if (!kind) throw refuse(variable, `is "${text}"`, `set it to ${kinds.join(', ')}`);
    return kind;
  };
  const kind = kindOf('GATEHOUSE_KMS', get('GATEHOUSE_KMS') ?? 'local');
  const also = (get('GATEHOUSE_KMS_ALSO')?.split(',') ?? []).map((k) => kindOf('GATEHOUSE_KMS_ALSO', k.trim()));
  if (also.includes(kind) || new Set(also).size < also.length)
    throw refuse(
      'GATEHOUSE_KMS_ALSO',
      `names ${kind} again`,
      'name each key service once; two key files are GATEHOUSE_KEY_FILE and GATEHOUSE_OLD_KEY_FILE',
    );
  for (const { name } of kmsVariables) {
    const of = groupOf.find(([pattern]) => pattern.test(name))?.[1];
    if (of && get(name) !== undefined && kind !== of && !also.includes(of))
      throw refuse(name, 'is set', `set GATEHOUSE_KMS (or GATEHOUSE_KMS_ALSO) to ${of}, or leave it out`);
  }
  const seconds = get('GATEHOUSE_KEY_CACHE_SECONDS') ?? '300';
  if (!/^\d{2,4}$/.test(seconds) || Number(seconds) < 10 || Number(seconds) > 3600)
    throw refuse('GATEHOUSE_KEY_CACHE_SECONDS', `is "${seconds}"`, 'set it to a number of seconds from 10 to 3600');
  const read = (k: (typeof kinds)[number]): KmsGroup =>
    k === 'local'
      ? { kind: 'local', file: get('GATEHOUSE_KEY_FILE') }
      : k === 'aws-kms'
        ? readAws(get, refuse)
        : readVault(get, refuse);
  const old = get('GATEHOUSE_OLD_KEY_FILE');
  return {
    group: read(kind),
    also: [...also.map(read), ...(old === undefined ? [] : [{ kind: 'local' as const, file: old }])],
    cacheSeconds: Number(seconds),
  };
}

function needed(get: Get, refuse: Refuse, name: string, because: string): string {
  const value = get(name);
  if (value === undefined) throw refuse(name, 'is not set', `set it too: ${because}`);
  return value;
}

function onOff(get: Get, refuse: Refuse, name: string): boolean {
  const value = get(name) ?? 'off';
  if (value !== 'on' && value !== 'off') throw refuse(name, `is "${value}"`, 'set it to on, off');
  return value === 'on';
}

function originIn(get: Get, refuse: Refuse, name: string): string | undefined {
  const value = get(name);
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== value)
    throw refuse(name, 'is not an origin', 'set it to scheme, host and port only, e.g. https://vault.example.com:8200');
  return value;
}

const path = /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/;

function readVault(get: Get, refuse: Refuse): KmsGroup {
  const because = 'vault-transit needs it';
  needed(get, refuse, 'GATEHOUSE_VAULT_ADDR', because);
  const address = originIn(get, refuse, 'GATEHOUSE_VAULT_ADDR') ?? '';
  const named = (name: string, value: string): string => {
    if (!path.test(value) || /(?:^|\/)\.\.?(?:\/|$)/.test(value))
      throw refuse(
        name,
        `is "${value}"`,
        'set it to a path of letters, digits, dots, dashes and underscores, without slashes around it',
      );
    return value;
  };
  const by = get('GATEHOUSE_VAULT_AUTH') ?? 'token';
  const mount = named('GATEHOUSE_VAULT_AUTH_MOUNT', get('GATEHOUSE_VAULT_AUTH_MOUNT') ?? by);
  const because2 = `GATEHOUSE_VAULT_AUTH is ${by}`;
  const login = (): Extract<KmsGroup, { kind: 'vault-transit' }>['login'] => {
    if (by === 'token') return { by, tokenFile: needed(get, refuse, 'GATEHOUSE_VAULT_TOKEN_FILE', because2) };
    if (by === 'approle')
      return {
        by,
        mount,
        roleId: needed(get, refuse, 'GATEHOUSE_VAULT_ROLE_ID', because2),
        secretIdFile: needed(get, refuse, 'GATEHOUSE_VAULT_SECRET_ID_FILE', because2),
      };
    if (by === 'kubernetes')
      return {
        by,
        mount,
        role: needed(get, refuse, 'GATEHOUSE_VAULT_ROLE', because2),
        jwtFile: get('GATEHOUSE_VAULT_JWT_FILE') ?? '/var/run/secrets/kubernetes.io/serviceaccount/token',
      };
    throw refuse('GATEHOUSE_VAULT_AUTH', `is "${by}"`, 'set it to token, approle, kubernetes');
  };
  return {
    kind: 'vault-transit',
    address,
    caFile: get('GATEHOUSE_VAULT_CA_FILE'),
    namespace: get('GATEHOUSE_VAULT_NAMESPACE'),
    mount: named('GATEHOUSE_VAULT_MOUNT', get('GATEHOUSE_VAULT_MOUNT') ?? 'transit'),
    key: named('GATEHOUSE_VAULT_KEY', needed(get, refuse, 'GATEHOUSE_VAULT_KEY', because)),
    derived: onOff(get, refuse, 'GATEHOUSE_VAULT_DERIVED'),
    login: login(),
  };
}

function readAws(get: Get, refuse: Refuse): KmsGroup {
  const key = needed(get, refuse, 'GATEHOUSE_AWS_KMS_KEY', 'aws-kms needs it');
  if (!parseKeyArn(key))
    throw refuse(
      'GATEHOUSE_AWS_KMS_KEY',
      `is "${key}"`,
      'set it to the ARN of a key: arn:aws:kms:<region>:<account>:key/<id>. An alias can be pointed elsewhere and is not taken',
    );
  const endpoint = originIn(get, refuse, 'GATEHOUSE_AWS_KMS_ENDPOINT');
  const fips = onOff(get, refuse, 'GATEHOUSE_AWS_KMS_FIPS');
  if (endpoint !== undefined && fips)
    throw refuse('GATEHOUSE_AWS_KMS_FIPS', 'is on beside GATEHOUSE_AWS_KMS_ENDPOINT', 'set one of them');
  return { kind: 'aws-kms', key, endpoint, fips, identity: readIdentity(get, refuse) };
}

/** In the order of AWS's own tools: keys, a web identity, the agent of the container. */
function readIdentity(get: Get, refuse: Refuse): Extract<KmsGroup, { kind: 'aws-kms' }>['identity'] {
  const [id, secret] = [get('AWS_ACCESS_KEY_ID'), get('AWS_SECRET_ACCESS_KEY')];
  if (id !== undefined && secret !== undefined)
    return { by: 'keys', accessKeyId: id, secretAccessKey: secret, sessionToken: get('AWS_SESSION_TOKEN') };
  if (id !== undefined || secret !== undefined)
    throw refuse(
      id === undefined ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY',
      'is not set',
      'set it too: the other half of the pair is set; or set neither',
    );
  const tokenFile = get('AWS_WEB_IDENTITY_TOKEN_FILE');
  if (tokenFile !== undefined)
    return {
      by: 'web_identity',
      tokenFile,
      role: needed(get, refuse, 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE is set'),
      session: get('AWS_ROLE_SESSION_NAME') ?? 'gatehouse',
      endpoint: originIn(get, refuse, 'GATEHOUSE_AWS_STS_ENDPOINT'),
    };
  const relative = get('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  const url = relative === undefined ? get('AWS_CONTAINER_CREDENTIALS_FULL_URI') : `http://169.254.170.2${relative}`;
  if (url === undefined)
    throw refuse(
      'AWS_ACCESS_KEY_ID',
      'is not set',
      'give the process an identity: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, or the container’s (AWS_CONTAINER_CREDENTIALS_FULL_URI)',
    );
  if (!isAgentUrl(url))
    throw refuse(
      relative === undefined ? 'AWS_CONTAINER_CREDENTIALS_FULL_URI' : 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      'does not lead to an agent of AWS',
      'it must be plain http to 169.254.170.2, 169.254.170.23, [fd00:ec2::23] or this machine',
    );
  return {
    by: 'container',
    url,
    token: get('AWS_CONTAINER_AUTHORIZATION_TOKEN'),
    tokenFile: get('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'),
  };
}
