import { z } from 'zod';
import type { Egress } from '#kernel/egress.ts';
import type { Id } from '#kernel/id.ts';
import { awsCredentials } from '#kernel/kms/aws-credentials.ts';
import { awsKeyName, awsKms, parseKeyArn } from '#kernel/kms/aws-kms.ts';
import type { KeyProvider } from '#kernel/kms/kms.ts';
import { vaultKeyName, vaultTransit, type VaultLogin } from '#kernel/kms/vault-transit.ts';
import { Problem } from '#kernel/problem.ts';
import { OWN, type Aad } from '#kernel/seal.ts';
import type { Secret } from '#kernel/secret.ts';

export const ownKeyKinds = ['vault-transit', 'aws-kms'] as const;
export const ownKeyStates = ['good', 'unreachable', 'gone'] as const;
export type OwnKeyState = (typeof ownKeyStates)[number];

const origin = z
  .url({ protocol: /^https?$/ })
  .max(300)
  .refine((u) => URL.canParse(u) && new URL(u).origin === u, 'expected scheme, host and port only');
const path = z
  .string()
  .min(1)
  .max(200)
  .regex(
    /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/,
    'expected a path without slashes around it',
  );
const line = z
  .string()
  .min(1)
  .max(300)
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces');
const inside = z.boolean().default(false);

/** Where an org's own key is. What proves us there is given beside it and sealed. */
export const OwnKeyConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('vault-transit'),
    address: origin.describe('Origin of the server; https, unless allowPrivate'),
    allowPrivate: inside.describe('The host may lie inside the network of this deployment'),
    ca: z
      .string()
      .max(20_000)
      .optional()
      .describe('PEM of the authorities that vouch for it, instead of the usual ones'),
    namespace: path.optional(),
    mount: path.default('transit'),
    key: path,
    derived: z.boolean().default(false).describe('The key was made with derived=true'),
    login: z.discriminatedUnion('by', [
      z.strictObject({ by: z.literal('approle'), mount: path.default('approle'), roleId: line }),
      z.strictObject({ by: z.literal('token') }),
    ]),
  }),
  z.strictObject({
    kind: z.literal('aws-kms'),
    key: z
      .string()
      .max(200)
      .refine((k) => parseKeyArn(k) !== undefined, 'expected the ARN of a key; an alias can be pointed elsewhere'),
    endpoint: origin.optional(),
    allowPrivate: inside,
    accessKeyId: line,
  }),
]);
export type OwnKeyConfig = z.infer<typeof OwnKeyConfig>;

export type OwnKey = {
  id: Id<'owk'>;
  config: OwnKeyConfig;
  sealed: Buffer;
  state: OwnKeyState;
  since: Date;
  namedBy: string;
  namedAt: Date;
};

/** Under the deployment: the org's own keys need it to be opened, so it cannot be under them. */
export const ownKeyAad = (id: Id<'owk'>): Aad => ({ table: 'own_key', scope: 'deployment', row: id, generation: 1 });

/** For people and the log: which key it is. */
export const whereOf = (c: OwnKeyConfig): string =>
  c.kind === 'aws-kms' ? awsKeyName(c.key) : `${vaultKeyName(c)} at ${new URL(c.address).host}`;

/** The provider over an org's own key. `secret`: the token, secret id or secret access key. */
export function ownProvider(id: Id<'owk'>, c: OwnKeyConfig, secret: Secret, egress: Egress): KeyProvider {
  const name = `${OWN}${id}`;
  if (c.kind === 'aws-kms')
    return awsKms(
      {
        key: c.key,
        endpoint: c.endpoint,
        private: c.allowPrivate,
        credentials: awsCredentials(
          { by: 'keys', keys: { accessKeyId: c.accessKeyId, secretAccessKey: secret } },
          egress,
        ),
      },
      egress,
      name,
    );
  const given = (): Promise<Secret> => Promise.resolve(secret);
  const login: VaultLogin = c.login.by === 'token' ? { by: 'token', token: given } : { ...c.login, secretId: given };
  return vaultTransit({ ...c, private: c.allowPrivate, login }, egress, name);
}

export const noOwnKey = (): Problem =>
  new Problem('missing', 'keys/no-own-key', { says: 'this organization has no key of its own' });

export const meanwhile = (): Problem =>
  new Problem('conflict', 'keys/meanwhile', {
    says: "the organization's keys were changed by somebody else meanwhile; nothing was changed",
    fix: 'look again, then try again',
  });
