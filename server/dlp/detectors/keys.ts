import { detector, type Span } from '../detector.ts';
import { entropy, isPlaceholder } from './entropy.ts';

const begin = /-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----/y;
const end = /-----END (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----/y;
/** Characters of key that must follow a header: a header alone is documentation. */
const LEAST_KEY = 40;
/** Keys of 16,384 bits are shorter. */
const LONGEST_KEY = 16_384;

/** A PEM block (RFC 7468), to its end or as far as it was cut; line ends may be written as `\n`. */
function pemAt(text: string, from: number): readonly Span[] {
  begin.lastIndex = from;
  if (!begin.test(text)) return [];
  const inner = begin.lastIndex;
  const near = text.slice(inner, inner + LONGEST_KEY);
  const next = near.indexOf('-----');
  const body = next < 0 ? near : near.slice(0, next);
  const key = body.replace(/\\[nr]|[^A-Za-z0-9+/=]/g, '');
  // A line of key, not a text about keys: base64 has small letters and capitals, a hash does not.
  const line = /[A-Za-z0-9+/=]{40,}/.exec(body.replaceAll('\\n', '\n'))?.[0] ?? '';
  if (key.length < LEAST_KEY || !/[a-z]/.test(line) || !/[A-Z]/.test(line) || entropy(line.slice(0, 200)) < 3)
    return [];
  end.lastIndex = inner + body.length;
  const to = next >= 0 && end.test(text) ? end.lastIndex : inner + body.length;
  return [{ start: from, end: to, text: key.slice(0, 256) }];
}

export const privateKey = detector('private_key', {
  says: 'private keys',
  class: 'prefix',
  severity: 'critical',
  finds: [
    { among: 'keywords', keywords: ['-----begin'], find: (text, from) => pemAt(text, from) },
    {
      among: 'keywords',
      keywords: ['putty-user-key-file-'],
      find(text, from) {
        const m = /^PuTTY-User-Key-File-\d: [\s\S]{0,4000}?Private-Lines: \d+\s+([A-Za-z0-9+/=\s]{40,8000})/.exec(
          text.slice(from, from + 12_000),
        );
        return m ? [{ start: from, end: from + m[0].length, text: (m[1] ?? '').slice(0, 256) }] : [];
      },
    },
  ],
  catches: [
    `-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7Zk1vT9qLr3PYs8mW0dN5hJfU2cBgE6\n-----END RSA PRIVATE KEY-----`,
    `{"private_key":"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIB\\n-----END PRIVATE KEY-----\\n"}`,
    `-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz`,
    `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBGJ7aXsBCADQ4vT9qLr3PYs8mW0dN5hJfU2cBgE6x7Zk1\n-----END PGP PRIVATE KEY BLOCK-----`,
  ],
  spares: [
    '-----BEGIN RSA PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----',
    '-----BEGIN CERTIFICATE-----\nMIIEowIBAAKCAQEAx7Zk1vT9qLr3PYs8mW0dN5hJfU2cBgE6\n-----END CERTIFICATE-----',
    '-----BEGIN PUBLIC KEY-----\nMIIEowIBAAKCAQEAx7Zk1vT9qLr3PYs8mW0dN5hJfU2cBgE6\n-----END PUBLIC KEY-----',
  ],
});

const jwt =
  /eyJ[A-Za-z0-9_-]{10,2048}\.[A-Za-z0-9_-]{4,16384}\.[A-Za-z0-9_-]{16,2048}(?:\.[A-Za-z0-9_-]{4,16384}\.[A-Za-z0-9_-]{8,64})?(?![A-Za-z0-9_-])/y;

export const jsonWebToken = detector('json_web_token', {
  says: 'signed tokens (JWT)',
  class: 'prefix',
  severity: 'high',
  finds: [
    {
      among: 'keywords',
      keywords: ['eyj'],
      find(text, from) {
        if (from > 0 && /[A-Za-z0-9_-]/.test(text.charAt(from - 1))) return [];
        jwt.lastIndex = from;
        const found = jwt.exec(text)?.[0];
        if (found === undefined || !hasHeader(found)) return [];
        return [{ start: from, end: from + found.length, text: found }];
      },
    },
  ],
  catches: [
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
    'Authorization: Bearer eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl',
  ],
  spares: [
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
    'eyJub3RoaW5nIjoxfXh4.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
    'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.',
  ],
});

/** Whether the first part is a JOSE header: JSON that names its algorithm (RFC 7515 §4.1.1). */
function hasHeader(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
    return typeof header === 'object' && header !== null && 'alg' in header;
  } catch {
    return false;
  }
}

const userInfo = /:\/\/([^\s:@/"'<>`]{0,128}):([^\s@/"'<>`]{3,256})@[A-Za-z0-9.[\]-]/y;
const scheme = /[A-Za-z][A-Za-z0-9+.-]{1,24}$/;
const account =
  /(?:server|data source|host|addr|address|uid|user id|user|username|endpoint|database|initial catalog)\s*=\s*[^;\n]{1,200};/i;
const adoPassword = /(?:password|pwd)\s*=\s*([^;"'\s]{3,128})/iy;

const isWorthy = (password: string): boolean =>
  !isPlaceholder(password) && !/^(?:password|passwd|pass|pwd|secret|user|token|\d{1,5})$/i.test(password);

export const connectionString = detector('connection_string', {
  says: 'connection strings with a password',
  class: 'prefix',
  severity: 'critical',
  finds: [
    {
      among: 'keywords',
      keywords: ['://'],
      find(text, from) {
        userInfo.lastIndex = from;
        const m = userInfo.exec(text);
        const name = m && scheme.exec(text.slice(Math.max(0, from - 25), from))?.[0];
        if (!m || !name || !isWorthy(m[2] ?? '')) return [];
        // Up to the @: the host is no secret.
        return [{ start: from - name.length, end: from + m[0].length - 1, text: `${m[1]}:${m[2]}` }];
      },
    },
    {
      among: 'keywords',
      keywords: ['password', 'pwd'],
      find(text, from) {
        adoPassword.lastIndex = from;
        const m = adoPassword.exec(text);
        const near = text.slice(Math.max(0, from - 300), from);
        if (!m || !isWorthy(m[1] ?? '') || !account.test(near.slice(near.lastIndexOf('\n') + 1))) return [];
        return [{ start: from, end: from + m[0].length, text: m[1] ?? '' }];
      },
    },
  ],
  catches: [
    'postgres://app:s3cr3tPw@db.internal:5432/crm',
    'DATABASE_URL="mysql://root:Tr0ub4dor&3@10.0.0.5/shop"',
    'mongodb+srv://svc:hJ8kQ2wx@cluster0.mongodb.net/?retryWrites=true',
    'https://deploy:8f3kd92kfn@git.corp.example/repo.git',
    'redis://:p4ssw0rdX@cache:6379/0',
    'Server=tcp:db,1433;Database=crm;User ID=app;Password=S3cr3t!Pw;Encrypt=true',
  ],
  spares: [
    'postgres://db.internal:5432/crm',
    'postgres://app:password@localhost/crm',
    'postgres://app:${DB_PASSWORD}@localhost/crm',
    'postgres://app:<password>@localhost/crm',
    'http://localhost:3000/@scope/package',
    'Password=S3cr3t!Pw',
  ],
});

const assigned =
  /\\?["'`]?[ \t]{0,4}(?:[:=]|=>|:=|->|\bis\b|\blautet\b|\best\b|\bes\b)[ \t]{0,4}\\?["'`]?([^\s"'`,;<>()[\]{}|\\]{8,256})/y;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const path = /^(?:[a-z]+:\/\/|\.{0,2}\/|[A-Za-z]:\\)/;
const position =
  /(?:page|next|prev|previous|continuation|cursor|sync|csrf|xsrf|pagination|resume|skip|delta|change|cancel(?:lation)?|contract|erc20)[-_ ]?$/i;

/** Whether what stands behind a word like "password" is one, rather than a word, a path, an id or a variable. */
function isSecretValue(value: string, word: string): boolean {
  if (
    isPlaceholder(value) ||
    uuid.test(value) ||
    path.test(value) ||
    /^\d+$/.test(value) ||
    /[.:]$/.test(value.slice(0, -1)) ||
    value.includes('(')
  )
    return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((k) => k.test(value)).length;
  const bits = entropy(value);
  // People choose passwords; machines choose the others, and what they choose is long and even.
  if (/^pass|^pwd|^contra|^kenn|^mot|^has|^wacht|^senha/i.test(word))
    return kinds >= 2 && /\d|[^A-Za-z0-9._-]/.test(value) && bits >= 2.5;
  return value.length >= 16 && kinds >= 2 && /\d/.test(value) && bits >= 3.2;
}

export const assignedSecret = detector('assigned_secret', {
  says: 'passwords and keys by the word before them',
  class: 'contextual',
  severity: 'medium',
  finds: [
    {
      among: 'keywords',
      keywords: [
        'password',
        'passwd',
        'passphrase',
        'passwort',
        'kennwort',
        'mot de passe',
        'contrasena',
        'wachtwoord',
        'senha',
        'haslo',
        'pwd',
        'secret',
        'token',
        'api key',
        'api_key',
        'apikey',
        'api-key',
        'access key',
        'access_key',
        'accesskey',
        'secret key',
        'secret_key',
        'secretkey',
        'private_key',
        'client_secret',
        'auth_key',
        'authkey',
        'encryption_key',
        'signing_key',
        'signingkey',
        'credential',
        'access-key',
        'secret-key',
        'account_key',
        'master_key',
      ],
      whole: true,
      find(text, from, to) {
        if (position.test(text.slice(Math.max(0, from - 14), from))) return [];
        assigned.lastIndex = to;
        const m = assigned.exec(text);
        const value = m?.[1]?.replace(/[.,:!?]+$/, '');
        if (!m || value === undefined || value.length < 8 || !isSecretValue(value, text.slice(from, to))) return [];
        const start = to + m[0].length - (m[1]?.length ?? 0);
        return [{ start, end: start + value.length, text: value }];
      },
    },
  ],
  catches: [
    'password: Tr0ub4dor&3',
    'DB_PASSWORD=hunter2!hunter',
    'the password is Wint3r-Sale!',
    '{"api_key":"9f8e7d6c5b4a39281706f5e4d3c2b1a0"}',
    'client_secret = "kQ3v9Zp1Lw8Xs5Rt2Yb7Nm4C"',
    'Passwort: Gr4uerWolf#7',
    'aws_secret_access_key = wJ4lrXUtnFEMIK7MDENGbPxRfiCYzq8hT2vL5nQd',
  ],
  spares: [
    'password: ********',
    'password is required',
    'password: ${DB_PASSWORD}',
    'token: 0193a411-1111-7111-8111-111111111111',
    'next_page_token: CAUQAAh1b3JkZXJzLjIwMjYtMTEtMjA',
    'secret: /run/secrets/database',
    'tokens: 12345678901',
    'api_key: your-api-key-here-1234',
    'passwordless: yes',
  ],
});

export const keys = [privateKey, jsonWebToken, connectionString, assignedSecret];
