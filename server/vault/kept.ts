import { timingSafeEqual, createHash } from 'node:crypto';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Seal } from '#kernel/seal.ts';
import { Secret } from '#kernel/secret.ts';
import { connectionAad, type Connection } from './connection.ts';
import type { Fields } from './organization-grant.ts';

/** What is sealed in a connection's row. */
export type Kept = { access: Secret; refresh: Secret | undefined } | { given: Fields };
export type KeptTokens = Extract<Kept, { access: Secret }>;

/** Seals it for its row, owner and generation. Before `change`, not inside. */
export async function sealKept(
  seal: Pick<Seal, 'seal'>,
  org: Id<'org'>,
  c: Pick<Connection, 'id' | 'connector' | 'owner' | 'generation'>,
  kept: Kept,
): Promise<Buffer> {
  const plain = Buffer.from(
    JSON.stringify(
      'given' in kept
        ? { given: kept.given }
        : { access: kept.access.reveal(), ...(kept.refresh ? { refresh: kept.refresh.reveal() } : {}) },
    ),
  );
  try {
    return await seal.seal(connectionAad(org, c), plain);
  } finally {
    plain.fill(0);
  }
}

export async function openKept(
  seal: Pick<Seal, 'open'>,
  org: Id<'org'>,
  c: Pick<Connection, 'id' | 'connector' | 'owner' | 'generation'>,
  sealed: Buffer,
): Promise<Kept> {
  const plain = await seal.open(connectionAad(org, c), sealed);
  let value: unknown;
  try {
    value = JSON.parse(plain.toString('utf8'));
  } catch {
    // Its message would have a piece of the secret.
    throw notTokens();
  } finally {
    plain.fill(0);
  }
  if (typeof value === 'object' && value !== null) {
    if ('given' in value && typeof value.given === 'object' && value.given !== null)
      return { given: { ...value.given } };
    if ('access' in value && typeof value.access === 'string')
      return {
        access: new Secret(value.access),
        refresh: 'refresh' in value && typeof value.refresh === 'string' ? new Secret(value.refresh) : undefined,
      };
  }
  throw notTokens();
}

/** The tokens of a consent. */
export async function openTokens(
  seal: Pick<Seal, 'open'>,
  org: Id<'org'>,
  c: Pick<Connection, 'id' | 'connector' | 'owner' | 'generation'>,
  sealed: Buffer,
): Promise<KeptTokens> {
  const kept = await openKept(seal, org, c, sealed);
  if ('given' in kept) throw notTokens();
  return kept;
}

const notTokens = (): Problem =>
  new Problem('bug', 'vault/sealed-form', { says: 'a connection opens to something that its kind does not keep' });

const digest = (s: Secret): Buffer => createHash('sha256').update(s.reveal()).digest();
/** Takes as long whatever they are. */
export const sameSecret = (a: Secret, b: Secret): boolean => timingSafeEqual(digest(a), digest(b));
