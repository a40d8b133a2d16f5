import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type Listening } from '../listening-server.ts';

/**
 * AWS KMS as its API reference describes Encrypt, Decrypt and ReEncrypt on the JSON 1.1 wire (docs.aws.amazon.com/kms/latest/APIReference),
 * STS's AssumeRoleWithWebIdentity, and the agent of containers (docs.aws.amazon.com/sdkref, container credential provider). Signatures are
 * verified by Signature Version 4 as documented, computed here and not by the library that signs. It refuses what KMS refuses, with its types.
 */
export type AwsStandIn = Listening & {
  /** ARN of a new key. */
  key(options?: { multiRegion?: boolean }): string;
  setState(arn: string, state: 'Enabled' | 'Disabled' | 'PendingDeletion'): void;
  /** Takes the key's policy away from our principal. */
  deny(arn: string, denied: boolean): void;
  accessKeyId: string;
  secretAccessKey: string;
  /** Of the web identity that STS takes, and the role that it gives for it. */
  webIdentity: { role: string; token: string };
  /** What the agent of a container wants to see; its address is `url` + `/v1/credentials`. */
  agentToken: string;
  /** Ends what STS and the agent gave until now. */
  expireSessions(): void;
  /** The next so many requests to KMS are throttled. */
  throttle: number;
  /** `silent`: accepts and never answers; `broken`: KMSInternalException. */
  state: 'up' | 'silent' | 'broken';
  /** Actions that came and were answered, e.g. `Decrypt`. */
  actions: string[];
};

type Key = { material: Buffer; state: 'Enabled' | 'Disabled' | 'PendingDeletion'; denied: boolean };
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

export async function awsStandIn(region = 'eu-central-1'): Promise<AwsStandIn> {
  const keys = new Map<string, Key>();
  const account = '111122223333';
  const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const secretAccessKey = randomBytes(30).toString('base64');
  /** Access key id -> what signs with it. */
  const principals = new Map<string, { secret: string; session: string | undefined; ended: boolean }>([
    [accessKeyId, { secret: secretAccessKey, session: undefined, ended: false }],
  ]);

  /** Undefined, so that whoever has nothing to return can return this. */
  const fail = (res: ServerResponse, status: number, type: string, message = ''): undefined => {
    res.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
    res.end(JSON.stringify({ __type: type, message }));
  };

  /** The type of the refusal, or undefined for a good signature. */
  const badSignature = (req: IncomingMessage, body: Buffer): string | undefined => {
    const [, id = '', scope = '', signed = '', signature = ''] =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
        req.headers.authorization ?? '',
      ) ?? [];
    if (id === '') return 'MissingAuthenticationTokenException';
    const date = String(req.headers['x-amz-date'] ?? '');
    const [day, r, service, end] = scope.split('/');
    if (day !== date.slice(0, 8) || r !== region || service !== 'kms' || end !== 'aws4_request')
      return 'InvalidSignatureException';
    const at = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    if (!(Math.abs(Date.now() - at) < 15 * 60_000)) return 'InvalidSignatureException';
    const who = principals.get(id);
    if (!who) return 'UnrecognizedClientException';
    if (who.session !== req.headers['x-amz-security-token']) return 'UnrecognizedClientException';
    if (who.ended) return 'ExpiredTokenException';
    const names = signed.split(';');
    for (const must of ['host', 'x-amz-date', 'x-amz-target'])
      if (!names.includes(must)) return 'InvalidSignatureException';
    const canonical = [
      req.method,
      '/',
      '',
      ...names.map(
        (n) =>
          `${n}:${String(req.headers[n] ?? '')
            .trim()
            .replace(/ +/g, ' ')}`,
      ),
      '',
      signed,
      sha(body),
    ].join('\n');
    const key = hmac(hmac(hmac(hmac(`AWS4${who.secret}`, day), region), 'kms'), 'aws4_request');
    const wanted = hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\n'));
    return timingSafeEqual(wanted, Buffer.from(signature, 'hex')) ? undefined : 'InvalidSignatureException';
  };

  const contextOf = (c: unknown): Buffer =>
    Buffer.from(
      JSON.stringify(Object.entries((c ?? {}) as Record<string, string>).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    );
  const usable = (res: ServerResponse, arn: string): Key | undefined => {
    const key = keys.get(arn);
    if (!key) return fail(res, 400, 'NotFoundException', `Key '${arn}' does not exist`);
    if (key.denied)
      return fail(
        res,
        400,
        'AccessDeniedException',
        'User is not authorized to perform this on the resource because no resource-based policy allows it',
      );
    if (key.state === 'Disabled') return fail(res, 400, 'DisabledException', `${arn} is disabled.`);
    if (key.state === 'PendingDeletion')
      return fail(res, 400, 'KMSInvalidStateException', `${arn} is pending deletion.`);
    return key;
  };
  const encrypted = (arn: string, key: Key, plain: Buffer, context: unknown): string => {
    const iv = randomBytes(12);
    const c = createCipheriv('aes-256-gcm', key.material, iv).setAAD(contextOf(context));
    const name = Buffer.from(arn);
    return Buffer.concat([Buffer.from([name.length]), name, iv, c.update(plain), c.final(), c.getAuthTag()]).toString(
      'base64',
    );
  };
  const decrypted = (
    res: ServerResponse,
    blob: unknown,
    named: unknown,
    context: unknown,
  ): { arn: string; plain: Buffer } | undefined => {
    const raw = Buffer.from(String(blob), 'base64');
    const size = raw[0] ?? 0;
    const arn = raw.subarray(1, 1 + size).toString();
    if (!arn.startsWith('arn:')) return fail(res, 400, 'InvalidCiphertextException');
    if (named !== undefined && named !== arn)
      return fail(
        res,
        400,
        'IncorrectKeyException',
        'The key ID in the request does not identify a key that can perform this operation.',
      );
    const key = usable(res, arn);
    if (!key) return undefined;
    try {
      const rest = raw.subarray(1 + size);
      const d = createDecipheriv('aes-256-gcm', key.material, rest.subarray(0, 12)).setAAD(contextOf(context));
      d.setAuthTag(rest.subarray(-16));
      return { arn, plain: Buffer.concat([d.update(rest.subarray(12, -16)), d.final()]) };
    } catch {
      return fail(res, 400, 'InvalidCiphertextException');
    }
  };

  const kms = (req: IncomingMessage, res: ServerResponse, body: Buffer): void => {
    if (standIn.state === 'broken') return fail(res, 500, 'KMSInternalException');
    if (req.headers['content-type'] !== 'application/x-amz-json-1.1')
      return fail(res, 404, 'UnknownOperationException');
    const bad = badSignature(req, body);
    if (bad)
      return fail(
        res,
        400,
        bad,
        bad === 'ExpiredTokenException' ? 'The security token included in the request is expired' : '',
      );
    if (standIn.throttle > 0) {
      standIn.throttle--;
      return fail(res, 400, 'ThrottlingException', 'You have exceeded the rate at which you may call KMS.');
    }
    const [, action = ''] =
      /^TrentService\.(Encrypt|Decrypt|ReEncrypt)$/.exec(String(req.headers['x-amz-target'])) ?? [];
    if (action === '') return fail(res, 400, 'UnknownOperationException');
    const b = JSON.parse(body.toString()) as Record<string, unknown>;
    standIn.actions.push(action);
    const ok = (o: object): void => {
      res.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
      res.end(JSON.stringify(o));
    };
    if (action === 'Encrypt') {
      const arn = String(b['KeyId']);
      const key = usable(res, arn);
      if (!key) return;
      const plain = Buffer.from(String(b['Plaintext']), 'base64');
      if (plain.length === 0 || plain.length > 4096) return fail(res, 400, 'ValidationException');
      return ok({
        CiphertextBlob: encrypted(arn, key, plain, b['EncryptionContext']),
        KeyId: arn,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      });
    }
    if (action === 'Decrypt') {
      const found = decrypted(res, b['CiphertextBlob'], b['KeyId'], b['EncryptionContext']);
      if (found)
        ok({ Plaintext: found.plain.toString('base64'), KeyId: found.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
      return;
    }
    const found = decrypted(res, b['CiphertextBlob'], b['SourceKeyId'], b['SourceEncryptionContext']);
    if (!found) return;
    const to = String(b['DestinationKeyId']);
    const key = usable(res, to);
    if (key)
      ok({
        CiphertextBlob: encrypted(to, key, found.plain, b['DestinationEncryptionContext']),
        KeyId: to,
        SourceKeyId: found.arn,
      });
  };

  const session = (seconds: number): { id: string; secret: string; token: string; expires: string } => {
    const [id, secret, token] = [
      `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      randomBytes(30).toString('base64'),
      randomBytes(40).toString('base64'),
    ];
    principals.set(id, { secret, session: token, ended: false });
    return { id, secret, token, expires: new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z') };
  };

  const sts = (res: ServerResponse, form: URLSearchParams): void => {
    const wrong = (code: string): void => {
      res.writeHead(400, { 'content-type': 'text/xml' });
      res.end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
      );
    };
    if (form.get('Action') !== 'AssumeRoleWithWebIdentity' || form.get('Version') !== '2011-06-15')
      return wrong('InvalidAction');
    if (form.get('WebIdentityToken') !== standIn.webIdentity.token) return wrong('InvalidIdentityToken');
    if (form.get('RoleArn') !== standIn.webIdentity.role) return wrong('AccessDenied');
    if (!/^[\w+=,.@-]{2,64}$/.test(form.get('RoleSessionName') ?? '')) return wrong('ValidationError');
    const s = session(3600);
    res.writeHead(200, { 'content-type': 'text/xml' });
    res.end(
      `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${s.id}</AccessKeyId><SecretAccessKey>${s.secret}</SecretAccessKey><SessionToken>${s.token}</SessionToken><Expiration>${s.expires}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    );
  };

  const listening = await listen((req, res) => {
    const chunks: Buffer[] = [];
    req
      .on('data', (c: Buffer) => chunks.push(c))
      .on('end', () => {
        const body = Buffer.concat(chunks);
        if (standIn.state === 'silent') return;
        if (req.url === '/v1/credentials') {
          if (req.headers.authorization !== standIn.agentToken) return fail(res, 401, 'Unauthorized');
          const s = session(3600);
          res.writeHead(200, { 'content-type': 'application/json' });
          res.end(
            JSON.stringify({ AccessKeyId: s.id, SecretAccessKey: s.secret, Token: s.token, Expiration: s.expires }),
          );
        } else if (String(req.headers['content-type']).startsWith('application/x-www-form-urlencoded'))
          sts(res, new URLSearchParams(body.toString()));
        else kms(req, res, body);
      });
  });
  const standIn: AwsStandIn = {
    ...listening,
    key(options) {
      const id = options?.multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID();
      const arn = `arn:aws:kms:${region}:${account}:key/${id}`;
      keys.set(arn, { material: randomBytes(32), state: 'Enabled', denied: false });
      return arn;
    },
    setState(arn, state) {
      const key = keys.get(arn);
      if (key) key.state = state;
    },
    deny(arn, denied) {
      const key = keys.get(arn);
      if (key) key.denied = denied;
    },
    accessKeyId,
    secretAccessKey,
    webIdentity: {
      role: `arn:aws:iam::${account}:role/gatehouse`,
      token: `ey.${randomBytes(9).toString('base64url')}.sig`,
    },
    agentToken: randomBytes(12).toString('hex'),
    expireSessions() {
      for (const p of principals.values()) if (p.session !== undefined) p.ended = true;
    },
    throttle: 0,
    state: 'up',
    actions: [],
  };
  return standIn;
}
