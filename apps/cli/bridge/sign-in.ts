import { setTimeout as sleep } from 'node:timers/promises';
import type { Kept, TokenStore } from './token-store.ts';
import { askJson, BridgeError, type Json } from './wire.ts';

/** As which client every Gatehouse knows the bridge (server/authorization/client-metadata.ts). */
const CLIENT = 'gatehouse-bridge';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
/** A token that ends within this time is renewed before it is used. */
const EARLY_MS = 30_000;

export type SignInKit = {
  server: URL;
  scope: string;
  store: TokenStore;
  /** Tells the person something. */
  say(line: string): void;
  /** Shows the person a page, where that is possible. */
  show(page: string): void;
};

const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined);

/** OAuth's short word for what went wrong; the longer text is a server's and stays out of ours. */
const errorOf = (body: Json): string =>
  (text(body['error']) ?? 'an unknown error').slice(0, 60).replace(/[^\w.-]/g, '_');

/** Access tokens of the person who runs this: from the file, by refreshing, and else by asking the person, once for all who wait. */
export class Tokens {
  readonly #kit: SignInKit;
  #current: Promise<string> | undefined;
  #kept: Kept | undefined;

  constructor(kit: SignInKit) {
    this.#kit = kit;
  }

  /** A token to use now. `refused`: one that the gateway did not take, so that another is needed. */
  get(refused?: string): Promise<string> {
    const kept = this.#kept;
    if (kept && usable(kept, refused)) return Promise.resolve(kept.access);
    this.#current ??= this.#kit.store
      .alone(() => this.#renew(refused))
      .finally(() => {
        this.#current = undefined;
      });
    return this.#current;
  }

  async #renew(refused: string | undefined): Promise<string> {
    const { store, say } = this.#kit;
    // Another bridge may have renewed it meanwhile.
    const kept = await store.read();
    if (kept && usable(kept, refused)) return this.#keep(kept);
    if (kept?.refresh !== undefined) {
      const r = await this.#token({ grant_type: 'refresh_token', refresh_token: kept.refresh });
      if (r.status === 200) return this.#save(r.body, kept.refresh);
      if (r.status >= 500)
        throw new BridgeError(`the server could not renew the sign-in (${errorOf(r.body)}); try again`);
      say(`the sign-in has ended (${errorOf(r.body)}); it is needed again`);
    }
    return this.#ask();
  }

  /** RFC 8628: the person answers in a browser, on whatever machine. */
  async #ask(): Promise<string> {
    const { server, scope, say, show } = this.#kit;
    const r = await askJson(
      new URL('/oauth/device/code', server),
      new URLSearchParams({ client_id: CLIENT, scope, resource: `${server.origin}/mcp` }),
    );
    const { device_code: device, user_code: code, verification_uri: page, verification_uri_complete: whole } = r.body;
    if (r.status !== 200 || !text(device) || !text(code) || !text(page))
      throw new BridgeError(`the server begins no sign-in (${errorOf(r.body)})`);
    say(`sign in: open ${text(page)} and enter ${text(code)}`);
    show(text(whole) ?? text(page) ?? '');
    let seconds = typeof r.body['interval'] === 'number' ? r.body['interval'] : 5;
    for (;;) {
      await sleep(seconds * 1000);
      const t = await this.#token({ grant_type: DEVICE, device_code: text(device) ?? '' });
      if (t.status === 200) {
        say('signed in');
        return this.#save(t.body, undefined);
      }
      const error = t.body['error'];
      if (error === 'slow_down') seconds += 5;
      else if (error === 'access_denied') throw new BridgeError('the sign-in was refused');
      else if (error === 'expired_token') throw new BridgeError('nobody signed in in time; start the bridge again');
      else if (error !== 'authorization_pending') throw new BridgeError(`the sign-in failed (${errorOf(t.body)})`);
    }
  }

  #token(form: Record<string, string>): Promise<{ status: number; body: Json }> {
    return askJson(new URL('/oauth/token', this.#kit.server), new URLSearchParams({ ...form, client_id: CLIENT }));
  }

  async #save(body: Json, before: string | undefined): Promise<string> {
    const access = text(body['access_token']);
    if (access === undefined) throw new BridgeError('the server gave no token');
    const seconds = typeof body['expires_in'] === 'number' ? body['expires_in'] : 60;
    const refresh = text(body['refresh_token']) ?? before;
    const kept = {
      access,
      expires: Date.now() + seconds * 1000,
      ...(refresh === undefined ? {} : { refresh }),
    };
    await this.#kit.store.write(kept);
    return this.#keep(kept);
  }

  #keep(kept: Kept & { access: string }): string {
    this.#kept = kept;
    return kept.access;
  }
}

const usable = (kept: Kept, refused: string | undefined): kept is Kept & { access: string } =>
  kept.access !== undefined && kept.access !== refused && (kept.expires ?? 0) > Date.now() + EARLY_MS;
