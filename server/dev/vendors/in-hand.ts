import type { TestContext } from 'node:test';
import type { BuiltinCall, ToolAnswer } from '#connectors/kit/builtin-tool.ts';
import type { Manifest } from '#connectors/kit/manifest.ts';
import { vendorClient, type Unlock, type VendorClient } from '#connectors/kit/vendor-client.ts';
import { makeEgress } from '#kernel/egress.ts';
import { makeLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import type { Unlocked } from '#vault/credentials.ts';
import type { TokenAnswer } from '#vault/oauth-facts.ts';
import { addressOf, originsOf } from '#vault/vendor-address.ts';
import type { Access, ActAs, Settings } from '#vault/vendor-auth.ts';
import type { VendorStandIn } from './vendor-stand-in.ts';

/** A vendor's tools over the real client and a stand-in, with a credential that was got as the manifest says, and no gateway before them. */
export type InHand = {
  client: VendorClient;
  /** Runs a tool with arguments that are checked by its schema. */
  run(tool: string, args?: unknown): Promise<ToolAnswer>;
  /** The text of the answer. */
  say(tool: string, args?: unknown): Promise<string>;
  /** Times that the credential was got or renewed. */
  got: () => number;
  revoke(): Promise<void>;
};

export const REDIRECT = 'https://gatehouse.example/connections/callback/con_test';

export type HandOptions = {
  access?: Access;
  settings?: Settings;
  /** A kind of account of the organization; absent: a person's consent. */
  account?: string;
  actAs?: ActAs;
  person?: { email: string; name: string };
};

export async function inHand(
  t: TestContext,
  manifest: Manifest,
  standIn: VendorStandIn,
  o: HandOptions = {},
): Promise<InHand> {
  const egress = makeEgress({ log: makeLog('silent') });
  t.after(() => egress.close());
  const settings = manifest.settings.parse({ ...standIn.settings, ...o.settings });
  const origins = originsOf(manifest, settings, standIn.origins);
  const rules = { allowPrivate: Object.values(origins).map((u) => new URL(u).host) };
  const access = o.access ?? 'read_write';
  const person = o.person ?? { email: 'ada@acme.example', name: 'Ada Lovelace' };
  const actAs = o.actAs ?? (o.account === undefined ? 'person' : 'organization');
  const send = (url: string, init: RequestInit): Promise<Response> => egress.fetch(url, init, rules);
  const { oauth } = manifest;
  const scopes = [...(oauth?.scopes[access] ?? []), ...(oauth?.moreScopes?.(settings, access) ?? [])];
  let held: TokenAnswer | undefined;
  let facts: Readonly<Record<string, string>> = {};

  const ask = async (parameters: Record<string, string>): Promise<void> => {
    if (!oauth) throw new Error('no consent of persons');
    const { clientId, clientSecret } = standIn.app;
    const basic = oauth.clientAuth === 'client_secret_basic';
    const all = basic ? parameters : { ...parameters, client_id: clientId, client_secret: clientSecret };
    const answer = await send(addressOf(oauth.token, origins, settings), {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': oauth.tokenBody === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
        ...(basic ? { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` } : {}),
      },
      body: oauth.tokenBody === 'json' ? JSON.stringify(all) : new URLSearchParams(all).toString(),
    });
    const body = (await answer.json()) as Record<string, unknown>;
    const because = oauth.classify?.(answer.status, body);
    if (because !== undefined || !answer.ok) throw new Error(`${because ?? answer.status}: ${String(body['error'])}`);
    held = oauth.readToken?.(body) ?? {
      accessToken: String(body['access_token']),
      refreshToken: typeof body['refresh_token'] === 'string' ? body['refresh_token'] : held?.refreshToken,
    };
    facts = { ...facts, ...oauth.factsOf?.(body) };
  };

  if (oauth && o.account === undefined) {
    standIn.registerRedirect(REDIRECT);
    const url = new URL(addressOf(oauth.authorize, origins, settings));
    const verifier = 'v'.repeat(64);
    const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString('base64url');
    for (const [k, v] of Object.entries({
      response_type: 'code',
      client_id: standIn.app.clientId,
      redirect_uri: REDIRECT,
      state: 's',
      ...(scopes.length > 0 ? { [oauth.scopeParameter ?? 'scope']: scopes.join(oauth.scopeSeparator ?? ' ') } : {}),
      ...oauth.authorizeParameters,
      ...(oauth.pkce === false ? {} : { code_challenge: challenge, code_challenge_method: 'S256' }),
    }))
      url.searchParams.set(k, v);
    const page = await fetch(url, { redirect: 'manual' });
    const location = page.headers.get('location');
    const code = location === null ? null : new URL(location).searchParams.get('code');
    if (code === null) throw new Error(`no code: ${page.status} ${location ?? (await page.text())}`);
    await ask({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      ...(oauth.pkce === false ? {} : { code_verifier: verifier }),
    });
  }

  let times = 0;
  const mint = async (narrow: Readonly<Record<string, unknown>> | undefined): Promise<Unlocked> => {
    const kind = o.account ?? '';
    const grant = manifest.organization.find((g) => g.kind === kind);
    const fields = standIn.accounts[kind];
    if (!grant || !fields) throw new Error(`no account of the kind ${kind}`);
    const minted = await grant.mint({
      fields: grant.fields.parse(fields),
      settings,
      access,
      scopes,
      subject: actAs === 'organization_as_person' ? person.email : undefined,
      narrow,
      origin: (role) => origins[role] ?? '',
      fetch: send,
      now: new Date(),
    });
    return { token: minted.token, scopes: minted.scopes ?? [], facts: { ...minted.facts } };
  };
  const unlock: Unlock = async (refused, narrow) => {
    times++;
    if (o.account !== undefined) return mint(narrow);
    if (refused && held?.refreshToken !== undefined)
      await ask({ grant_type: 'refresh_token', refresh_token: held.refreshToken });
    return { token: new Secret(held?.accessToken ?? ''), scopes: held?.scopes ?? scopes, facts };
  };
  const client = await vendorClient({
    manifest,
    settings,
    origins,
    rules,
    egress,
    unlock,
    signal: new AbortController().signal,
    now: () => new Date(),
    deadline: new Date(Date.now() + 60_000),
  });
  const run = async (name: string, args: unknown = {}): Promise<ToolAnswer> => {
    const tool = manifest.builtin?.tools.find((x) => x.name === name);
    if (!tool) throw new Error(`no tool ${name}`);
    const call: BuiltinCall = {
      vendor: client,
      settings,
      actAs,
      person,
      now: new Date(),
      signal: new AbortController().signal,
    };
    const read = tool.input.safeParse(args);
    if (!read.success)
      throw new Error(`the arguments of ${name} do not fit: ${read.error.issues.map((i) => i.message).join('; ')}`);
    return tool.run(call, read.data as never);
  };
  return {
    client,
    run,
    say: async (name, args) =>
      (await run(name, args)).content.map((c) => (c.type === 'text' ? c.text : `[${c.type}]`)).join('\n'),
    got: () => times,
    async revoke() {
      const how = oauth?.revoke?.how;
      if (typeof how !== 'function' || !oauth?.revoke) throw new Error('not ended by hand');
      await how({
        url: addressOf(oauth.revoke.url, origins, settings),
        token: held?.accessToken ?? '',
        refreshToken: held?.refreshToken,
        clientId: standIn.app.clientId,
        clientSecret: standIn.app.clientSecret,
        settings,
        fetch: send,
      });
    },
  };
}
