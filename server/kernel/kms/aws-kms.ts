import { setTimeout as sleep } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { z } from 'zod';
import type { Egress } from '../egress.ts';
import { MiB } from '../limits.ts';
import { Problem } from '../problem.ts';
import type { AwsCredentials } from './aws-credentials.ts';
import { KmsRefusal, type KeyPlace, type KeyProvider } from './kms.ts';

export type AwsKms = {
  /** The key's ARN. An alias can be pointed to another key, so none is taken. */
  key: string;
  /** Origin of the API where it is not the region's: a VPC endpoint, a stand-in. */
  endpoint?: string | undefined;
  fips?: boolean | undefined;
  private?: boolean | undefined;
  credentials: AwsCredentials;
};

const Arn = /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):key\/((?:mrk-)?[0-9a-f-]{32,36})$/;

/** Partition, region, account and id of a key's ARN; undefined for anything else. */
export function parseKeyArn(
  arn: string,
): { partition: string; region: string; account: string; id: string } | undefined {
  const [, partition, region, account, id] = Arn.exec(arn) ?? [];
  return partition && region && account && id ? { partition, region, account, id } : undefined;
}

/** A multi-region key is the same key in each of its regions, so its name has none. */
export function awsKeyName(key: string): string {
  const arn = parseKeyArn(key);
  return arn?.id.startsWith('mrk-') ? `aws-kms:${arn.partition}:${arn.account}:${arn.id}` : `aws-kms:${key}`;
}

const Cipher = z.object({ CiphertextBlob: z.base64(), KeyId: z.string().optional() });
const Plain = z.object({ Plaintext: z.base64(), KeyId: z.string().optional() });
const Failed = z.object({ __type: z.string(), message: z.string().optional(), Message: z.string().optional() });

const TIMEOUT_MS = 10_000;
/** Throttled or broken answers are asked again so often, with growing pauses; then the service counts as away. */
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;

/** No longer ours to use, as KMS says it. Everything that a person at AWS did on purpose is here. */
const gone = new Set([
  'AccessDeniedException',
  'DisabledException',
  'KMSInvalidStateException',
  'NotFoundException',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidGrantTokenException',
  'InvalidKeyUsageException',
]);
const again = new Set([
  'ThrottlingException',
  'LimitExceededException',
  'KMSInternalException',
  'DependencyTimeoutException',
  'KeyUnavailableException',
]);
/** The row was altered, or belongs elsewhere. */
const notOurs = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);
const staleCredentials = new Set(['ExpiredTokenException', 'ExpiredToken', 'UnrecognizedClientException']);

/**
 * AWS KMS: Encrypt, Decrypt and ReEncrypt of a symmetric key. INVARIANT (bound by KMS): the encryption context names scope and generation,
 * so KMS itself refuses a wrapped key in another place, and CloudTrail says whose key was opened.
 */
export function awsKms(k: AwsKms, egress: Egress, name: string): KeyProvider {
  const region = parseKeyArn(k.key)?.region ?? '';
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = k.endpoint ?? `https://kms${k.fips ? '-fips' : ''}.${region}.${suffix}`;
  const rules = {
    maxBytes: MiB,
    timeoutMs: TIMEOUT_MS,
    ...(k.private ? { allowPrivate: [new URL(url).host] } : {}),
  };

  const send = async (action: string, body: string, refresh: boolean): Promise<{ status: number; json: unknown }> => {
    const c = await k.credentials(refresh);
    const signed = await new AwsV4Signer({
      method: 'POST',
      url: `${url}/`,
      service: 'kms',
      region,
      accessKeyId: c.accessKeyId,
      secretAccessKey: c.secretAccessKey.reveal(),
      ...(c.sessionToken ? { sessionToken: c.sessionToken.reveal() } : {}),
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` },
      body,
      // Content types are signed too.
      allHeaders: true,
    }).sign();
    try {
      const r = await egress.fetch(signed.url, { method: 'POST', headers: signed.headers, body }, rules);
      const text = await r.text();
      try {
        return { status: r.status, json: JSON.parse(text) };
      } catch {
        return { status: r.status, json: undefined };
      }
    } catch (e) {
      throw new KmsRefusal('unreachable', e instanceof Problem ? e.says : 'AWS KMS does not answer', e);
    }
  };

  const ask = async <T>(action: 'Encrypt' | 'Decrypt' | 'ReEncrypt', ask: object, form: z.ZodType<T>): Promise<T> => {
    const body = JSON.stringify(ask);
    let refresh = false;
    for (let attempt = 1; ; attempt++) {
      const answer = await send(action, body, refresh);
      const parsed = form.safeParse(answer.json);
      if (answer.status === 200 && parsed.success) return parsed.data;
      const failed = Failed.safeParse(answer.json).data;
      const type = failed?.__type.split('#').at(-1) ?? '';
      const said = (failed?.message ?? failed?.Message ?? '').slice(0, 200);
      const says = `AWS KMS was asked to ${action} with ${k.key} and answers ${type || answer.status}${said === '' ? '' : ` (${said})`}`;
      if (staleCredentials.has(type) && !refresh) {
        refresh = true;
        continue;
      }
      if (gone.has(type)) throw new KmsRefusal('gone', says);
      if (notOurs.has(type)) throw new Error(says);
      const transient = again.has(type) || answer.status >= 500 || answer.status === 429;
      if (!transient || attempt >= ATTEMPTS) throw new KmsRefusal('unreachable', says);
      const pause = FIRST_PAUSE_MS * 2 ** (attempt - 1);
      await sleep(pause / 2 + (Math.random() * pause) / 2);
    }
  };

  const EncryptionContext = (place: KeyPlace): Record<string, string> => ({
    'gatehouse:scope': place.scope,
    'gatehouse:generation': String(place.generation),
  });

  return {
    name,
    async wrap(bytes, place) {
      const Plaintext = Buffer.from(bytes).toString('base64');
      const a = await ask('Encrypt', { KeyId: k.key, Plaintext, EncryptionContext: EncryptionContext(place) }, Cipher);
      return Buffer.from(a.CiphertextBlob, 'base64');
    },
    async unwrap(wrapped, place) {
      // With the key named, KMS refuses what another key of the account wrapped.
      const a = await ask(
        'Decrypt',
        {
          KeyId: k.key,
          CiphertextBlob: Buffer.from(wrapped).toString('base64'),
          EncryptionContext: EncryptionContext(place),
        },
        Plain,
      );
      return Buffer.from(a.Plaintext, 'base64');
    },
    async rewrap(wrapped, place) {
      const a = await ask(
        'ReEncrypt',
        {
          SourceKeyId: k.key,
          DestinationKeyId: k.key,
          CiphertextBlob: Buffer.from(wrapped).toString('base64'),
          SourceEncryptionContext: EncryptionContext(place),
          DestinationEncryptionContext: EncryptionContext(place),
        },
        Cipher,
      );
      return Buffer.from(a.CiphertextBlob, 'base64');
    },
  };
}
