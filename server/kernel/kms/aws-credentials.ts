import { request } from 'node:http';
import { z } from 'zod';
import type { Egress } from '../egress.ts';
import { KiB } from '../limits.ts';
import { Secret } from '../secret.ts';
import { KmsRefusal } from './kms.ts';

export type AwsKeys = { accessKeyId: string; secretAccessKey: Secret; sessionToken?: Secret | undefined };
/** Credentials that are good now; `refresh`: those given before were refused as ended. */
export type AwsCredentials = (refresh: boolean) => Promise<AwsKeys>;

/** Where a process on AWS finds out who it is, as the variables say that AWS's own tools read. */
export type AwsIdentity =
  | { by: 'keys'; keys: AwsKeys }
  /** IAM roles for service accounts (IRSA): a token of the cluster's against credentials of a role. */
  | { by: 'web_identity'; role: string; session: string; region: string; endpoint?: string; token(): Promise<Secret> }
  /** ECS and EKS Pod Identity: an agent beside the process. */
  | { by: 'container'; url: string; authorization?: () => Promise<Secret> };

/** Credentials are replaced this long before they end, as AWS's own tools do. */
const EARLY_MS = 5 * 60_000;
const TIMEOUT_MS = 5000;

const Container = z.object({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  Token: z.string().optional(),
  Expiration: z.iso.datetime({ offset: true }).optional(),
});

/** One source, asked once for all who wait, and again shortly before what it gave ends. */
export function awsCredentials(identity: AwsIdentity, egress: Egress, now = (): number => Date.now()): AwsCredentials {
  if (identity.by === 'keys') {
    const { keys } = identity;
    return () => Promise.resolve(keys);
  }
  let known: { keys: AwsKeys; ends: number } | undefined;
  let asking: Promise<AwsKeys> | undefined;
  const ask = async (): Promise<AwsKeys> => {
    try {
      known = await fetchKeys(identity, egress);
      return known.keys;
    } catch (e) {
      // An agent that is away for a moment takes nothing from us while what we have is good.
      if (known && known.ends > now()) return known.keys;
      throw e;
    }
  };
  return (refresh) => {
    if (refresh) known = undefined;
    if (known && known.ends - EARLY_MS > now()) return Promise.resolve(known.keys);
    return (asking ??= ask().finally(() => (asking = undefined)));
  };
}

function fetchKeys(i: Exclude<AwsIdentity, { by: 'keys' }>, egress: Egress): Promise<{ keys: AwsKeys; ends: number }> {
  return i.by === 'web_identity' ? assumeRole(i, egress) : fromAgent(i);
}

async function assumeRole(
  i: Extract<AwsIdentity, { by: 'web_identity' }>,
  egress: Egress,
): Promise<{ keys: AwsKeys; ends: number }> {
  const url = i.endpoint ?? `https://sts.${i.region}.amazonaws.com${i.region.startsWith('cn-') ? '.cn' : ''}`;
  let status: number;
  let text: string;
  try {
    const token = (await i.token()).reveal().trim();
    const r = await egress.fetch(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({
          Action: 'AssumeRoleWithWebIdentity',
          Version: '2011-06-15',
          RoleArn: i.role,
          RoleSessionName: i.session,
          WebIdentityToken: token,
        }).toString(),
      },
      { maxBytes: 256 * KiB, timeoutMs: TIMEOUT_MS, ...(i.endpoint ? { allowPrivate: [new URL(url).host] } : {}) },
    );
    status = r.status;
    text = await r.text();
  } catch (e) {
    throw new KmsRefusal('unreachable', 'AWS STS does not answer, or the token file cannot be read', e);
  }
  // XML unless JSON was asked for, and some endpoints of AWS give XML all the same.
  const pick = (name: string): string | undefined =>
    new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1] ??
    new RegExp(`"${name}"\\s*:\\s*"([^"]+)"`).exec(text)?.[1];
  const [id, secret, session] = [pick('AccessKeyId'), pick('SecretAccessKey'), pick('SessionToken')];
  const expiration = pick('Expiration') ?? /"Expiration"\s*:\s*([\d.]+)/.exec(text)?.[1];
  if (status !== 200 || !id || !secret || !session || !expiration) {
    const code = pick('Code') ?? `status ${status}`;
    const denied = /AccessDenied|InvalidIdentityToken|ValidationError|MalformedPolicy/.test(code);
    throw new KmsRefusal(
      denied ? 'gone' : 'unreachable',
      `AWS STS was asked for the role ${i.role} and answers ${code}`,
    );
  }
  const ends = /^[\d.]+$/.test(expiration) ? Number(expiration) * 1000 : Date.parse(expiration);
  return {
    keys: { accessKeyId: id, secretAccessKey: new Secret(secret), sessionToken: new Secret(session) },
    ends,
  };
}

/**
 * Hosts that credentials may come from, as AWS documents them: the agent of ECS, that of EKS, and this machine. They are link-local, where
 * `egress` refuses everything, so this request goes around it: to these addresses only, named by whoever runs the deployment, never by a name.
 */
const agents = /^(?:169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\]|127\.\d+\.\d+\.\d+|\[::1\])$/;

export const isAgentUrl = (url: string): boolean => {
  const u = URL.canParse(url) ? new URL(url) : undefined;
  return u?.protocol === 'http:' && agents.test(u.hostname);
};

async function fromAgent(i: Extract<AwsIdentity, { by: 'container' }>): Promise<{ keys: AwsKeys; ends: number }> {
  if (!isAgentUrl(i.url))
    throw new KmsRefusal('unreachable', 'the address of the AWS credentials agent is not one of AWS');
  let answer: { status: number; text: string };
  try {
    const authorization = i.authorization && (await i.authorization()).reveal().trim();
    answer = await new Promise((resolve, reject) => {
      const headers = { accept: 'application/json', ...(authorization ? { authorization } : {}) };
      const req = request(i.url, { headers, timeout: TIMEOUT_MS }, (res) => {
        const chunks: Buffer[] = [];
        let size = 0;
        res.on('data', (c: Buffer) => {
          size += c.length;
          if (size > 64 * KiB) req.destroy(new Error('too large'));
          else chunks.push(c);
        });
        res.on('end', () => resolve({ status: res.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        res.on('error', reject);
      });
      req.on('timeout', () => req.destroy(new Error('timeout'))).on('error', reject);
      req.end();
    });
  } catch (e) {
    throw new KmsRefusal('unreachable', 'the AWS credentials agent beside this process does not answer', e);
  }
  let json: unknown;
  try {
    json = JSON.parse(answer.text);
  } catch {
    json = undefined;
  }
  const found = Container.safeParse(json);
  if (answer.status !== 200 || !found.success)
    throw new KmsRefusal('unreachable', `the AWS credentials agent beside this process answers ${answer.status}`);
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = found.data;
  return {
    keys: {
      accessKeyId: AccessKeyId,
      secretAccessKey: new Secret(SecretAccessKey),
      ...(Token ? { sessionToken: new Secret(Token) } : {}),
    },
    ends: Expiration ? Date.parse(Expiration) : Infinity,
  };
}
