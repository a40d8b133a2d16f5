import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Db } from '#kernel/db.ts';
import type { Egress } from '#kernel/egress.ts';
import { awsCredentials, type AwsIdentity } from '#kernel/kms/aws-credentials.ts';
import { awsKeyName, awsKms, parseKeyArn } from '#kernel/kms/aws-kms.ts';
import type { KeyProvider } from '#kernel/kms/kms.ts';
import { localKeyFile } from '#kernel/kms/local.ts';
import { vaultKeyName, vaultTransit, type VaultLogin } from '#kernel/kms/vault-transit.ts';
import { openSealWith } from '#kernel/open-seal.ts';
import { Problem } from '#kernel/problem.ts';
import type { OwnKeys, Seal } from '#kernel/seal.ts';
import { sealProviders } from '#kernel/seal.sql.ts';
import { Secret } from '#kernel/secret.ts';
import type { KmsConfig, KmsGroup } from './config-kms.ts';

/** Opens the key services that the configuration names, and the seal over them. */
export async function openKeys(
  config: KmsConfig,
  folder: string,
  parts: { db: Db; egress: Egress; own: OwnKeys },
): Promise<Seal> {
  const { db, egress, own } = parts;
  const sealed = ((await db.lookup(sealProviders()))?.names.length ?? 0) > 0;
  const open = (g: KmsGroup, create: boolean): Promise<KeyProvider> => openProvider(g, folder, egress, create);
  const also = await Promise.all(config.also.map((g) => open(g, false)));
  // A deployment that moves from one key file to another makes the new one.
  const fresh = !sealed || config.also.length > 0;
  const provider = await open(config.group, fresh);
  return openSealWith(provider, db, { also, own, ttlMs: config.cacheSeconds * 1000 });
}

async function openProvider(g: KmsGroup, folder: string, egress: Egress, create: boolean): Promise<KeyProvider> {
  switch (g.kind) {
    case 'local':
      return localKeyFile(g.file ?? join(folder, 'root.key'), { create });
    case 'vault-transit': {
      const ca = g.caFile === undefined ? undefined : (await pem(g.caFile)).reveal();
      // Whoever sets the address runs the deployment, so it may lie inside the network.
      return vaultTransit({ ...g, ca, private: true, login: loginOf(g.login) }, egress, vaultKeyName(g));
    }
    case 'aws-kms': {
      const region = parseKeyArn(g.key)?.region ?? '';
      const credentials = awsCredentials(identityOf(g.identity, region), egress);
      return awsKms({ ...g, private: g.endpoint !== undefined, credentials }, egress, awsKeyName(g.key));
    }
  }
}

const secretIn = (file: string) => async (): Promise<Secret> => new Secret(await readFile(file, 'utf8'));

async function pem(file: string): Promise<Secret> {
  try {
    return await secretIn(file)();
  } catch (e) {
    throw new Problem('invalid', 'server/tls-file', {
      says: `the file in GATEHOUSE_VAULT_CA_FILE cannot be read: ${e instanceof Error ? e.message : 'unknown'}`,
      fix: 'point it to a PEM file that this user may read',
      because: e,
    });
  }
}

function loginOf(l: Extract<KmsGroup, { kind: 'vault-transit' }>['login']): VaultLogin {
  switch (l.by) {
    case 'token':
      return { by: 'token', token: secretIn(l.tokenFile) };
    case 'approle':
      return { by: 'approle', mount: l.mount, roleId: l.roleId, secretId: secretIn(l.secretIdFile) };
    case 'kubernetes':
      return { by: 'kubernetes', mount: l.mount, role: l.role, jwt: secretIn(l.jwtFile) };
  }
}

function identityOf(i: Extract<KmsGroup, { kind: 'aws-kms' }>['identity'], region: string): AwsIdentity {
  switch (i.by) {
    case 'keys': {
      const { accessKeyId, secretAccessKey, sessionToken } = i;
      return {
        by: 'keys',
        keys: {
          accessKeyId,
          secretAccessKey: new Secret(secretAccessKey),
          ...(sessionToken ? { sessionToken: new Secret(sessionToken) } : {}),
        },
      };
    }
    case 'web_identity':
      return {
        by: 'web_identity',
        role: i.role,
        session: i.session,
        region,
        token: secretIn(i.tokenFile),
        ...(i.endpoint === undefined ? {} : { endpoint: i.endpoint }),
      };
    case 'container': {
      const { token, tokenFile } = i;
      const authorization =
        tokenFile !== undefined ? secretIn(tokenFile) : token === undefined ? undefined : async () => new Secret(token);
      return { by: 'container', url: i.url, ...(authorization ? { authorization } : {}) };
    }
  }
}
