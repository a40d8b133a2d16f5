import { createHash } from 'node:crypto';
import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import { decrypt, encrypt } from '#kernel/aead.ts';
import type { Units, Unit } from './adapter-transaction.ts';
import { findMembership } from './membership.sql.ts';
import {
  consumeItem,
  deleteFamily,
  deleteItem,
  deleteOfGrant,
  findItem,
  findItemByUid,
  findGrantOwner,
  findItemByUserCode,
  GRACE_SECONDS,
  insertOnce,
  saveItem,
  spendTwins,
  type ItemRow,
} from './oauth-item.sql.ts';

/** Ids that are no secret: they are claims, URLs, or hashes already. Every other id is a credential and is stored as its SHA-256. */
const openIds = new Set(['Client', 'Grant', 'ReplayDetection']);
/** Found by something else than their id, and have credentials inside: the whole payload is sealed. */
const sealedModels = new Set(['Session', 'Interaction', 'DeviceCode']);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** How a client's secret is stored; see `secretMatches`. */
export const hashedSecret = (secret: string): string => `sha256:${sha256(secret)}`;

export type AdapterKit = { units: Units; now: () => Date; /** 32 bytes, the same on every node. */ key: Buffer };

/** The library's storage in PostgreSQL: one adapter per model. */
export const makeAdapter =
  (kit: AdapterKit) =>
  (model: string): Adapter =>
    new ItemAdapter(model, kit);

class ItemAdapter implements Adapter {
  readonly #model: string;
  readonly #kit: AdapterKit;

  constructor(model: string, kit: AdapterKit) {
    this.#model = model;
    this.#kit = kit;
  }

  #key(id: string): string {
    return openIds.has(this.#model) ? id : sha256(id);
  }

  #stored(id: string, payload: AdapterPayload): Record<string, unknown> {
    const { jti: _jti, ...rest } = payload;
    if (openIds.has(this.#model)) {
      const secret = payload.client_secret;
      return this.#model === 'Client' && secret ? { ...payload, client_secret: hashedSecret(secret) } : { ...payload };
    }
    if (!sealedModels.has(this.#model)) return rest;
    const box = encrypt(
      this.#kit.key,
      Buffer.from(JSON.stringify(payload)),
      Buffer.from(`${this.#model}\0${this.#key(id)}`),
    );
    return { sealed: box.toString('base64') };
  }

  #shown(unit: Unit, row: ItemRow | undefined, id: string | undefined): AdapterPayload | undefined {
    if (!row) return undefined;
    if (this.#model === 'Grant') {
      unit.grant ??= row.id;
      unit.owner ??= row.owner;
    }
    if (row.grant !== null) unit.grant ??= row.grant;
    const sealed = row.payload['sealed'];
    const payload: AdapterPayload =
      typeof sealed === 'string'
        ? JSON.parse(
            decrypt(this.#kit.key, Buffer.from(sealed, 'base64'), Buffer.from(`${this.#model}\0${row.id}`)).toString(
              'utf8',
            ),
          )
        : { ...row.payload, ...(openIds.has(this.#model) || id === undefined ? {} : { jti: id }) };
    if (row.consumedAt !== null && !this.#inGrace(row)) {
      payload.consumed = Math.floor(row.consumedAt.getTime() / 1000) || 1;
      if (this.#model === 'RefreshToken' || this.#model === 'AuthorizationCode' || this.#model === 'DeviceCode')
        unit.reused = this.#model;
    }
    return payload;
  }

  #inGrace(row: ItemRow): boolean {
    if (this.#model !== 'RefreshToken' || row.wentOn || row.consumedAt === null) return false;
    return row.consumedAt.getTime() > this.#kit.now().getTime() - GRACE_SECONDS * 1000;
  }

  upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const at = this.#kit.now();
    return this.#kit.units.using(async (unit) => {
      const member =
        this.#model === 'Grant' && payload.accountId
          ? await unit.read((db) => findMembership(db, payload.accountId ?? ''))
          : undefined;
      if (this.#model === 'Grant') unit.grant ??= id;
      const item = {
        model: this.#model,
        id: this.#key(id),
        payload: this.#stored(id, payload),
        grant: this.#model === 'Interaction' ? undefined : payload.grantId,
        predecessor: this.#model === 'RefreshToken' ? unit.spent : undefined,
        uid: this.#model === 'Session' ? payload.uid : undefined,
        userCode: payload.userCode,
        // The library's session is nobody's: ours says who somebody is.
        account: this.#model === 'Session' ? undefined : payload.accountId,
        client: payload.clientId,
        clientName: this.#model === 'Grant' ? unit.clientName : undefined,
        connection: this.#model === 'Grant' ? unit.vouchedBy : undefined,
        parent: member?.parent,
        org: member?.org,
        expiresAt: expiresIn === undefined ? undefined : new Date(at.getTime() + expiresIn * 1000),
      };
      if (this.#model === 'ReplayDetection') {
        // The library looks first and writes later; the one who writes first is the one who was there first.
        if (!(await unit.write((tx) => insertOnce(tx, item, at)))) throw new errors.InvalidGrant('used before');
      } else await unit.write((tx) => saveItem(tx, item, at));
    });
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return this.#kit.units.using(async (unit) =>
      this.#shown(unit, await unit.read((db) => findItem(db, this.#model, this.#key(id))), id),
    );
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#kit.units.using(async (unit) =>
      this.#shown(unit, await unit.read((db) => findItemByUid(db, this.#model, uid)), undefined),
    );
  }

  findByUserCode(code: string): Promise<AdapterPayload | undefined> {
    return this.#kit.units.using(async (unit) =>
      this.#shown(unit, await unit.read((db) => findItemByUserCode(db, this.#model, code)), undefined),
    );
  }

  /** The library's `find` may have seen it unspent on several nodes at once; only here is it decided who spends it. */
  consume(id: string): Promise<void> {
    const key = this.#key(id);
    const refresh = this.#model === 'RefreshToken';
    return this.#kit.units.using(async (unit) => {
      const spent = await unit.write(async (tx) => {
        if (!(await consumeItem(tx, this.#model, key, this.#kit.now(), refresh))) return false;
        if (refresh) await spendTwins(tx, key);
        return true;
      });
      if (spent) {
        if (refresh) unit.spent = key;
        return;
      }
      const { grant } = unit;
      if (grant !== undefined) {
        unit.owner ??= await unit.read((db) => findGrantOwner(db, grant));
        await unit.write((tx) => deleteFamily(tx, grant));
      }
      unit.revoked = grant;
      if (this.#model === 'RefreshToken' || this.#model === 'AuthorizationCode' || this.#model === 'DeviceCode')
        unit.reused = this.#model;
      throw new errors.InvalidGrant('used before');
    });
  }

  destroy(id: string): Promise<void> {
    return this.#kit.units.using(async (unit) => {
      await unit.write((tx) => deleteItem(tx, this.#model, this.#key(id)));
    });
  }

  revokeByGrantId(grant: string): Promise<void> {
    return this.#kit.units.using(async (unit) => {
      unit.grant ??= grant;
      // Whose it was must be known to the log, and is gone afterwards.
      unit.owner ??= await unit.read((db) => findGrantOwner(db, grant));
      await unit.write((tx) => deleteOfGrant(tx, this.#model, grant));
    });
  }
}
