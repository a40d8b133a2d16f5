import { createHash, randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { BuiltinTool, ToolAnswer } from '#connectors/kit/builtin-tool.ts';
import { vendorClient } from '#connectors/kit/vendor-client.ts';
import { github } from '#connectors/vendors/github/manifest.ts';
import { installation } from '#connectors/vendors/github/installation.ts';
import { makeEgress } from '#kernel/egress.ts';
import { makeLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import type { Unlocked } from '#vault/credentials.ts';
import { originOf, originsOf } from '#vault/vendor-address.ts';
import type { Access, ActAs, Settings } from '#vault/vendor-auth.ts';
import { startGitHub, type GitHubStandIn } from './vendors/github.ts';

const REDIRECT = 'http://127.0.0.1:1/connections/callback/con_test';

/** A stand-in of GitHub and its tools through the real client, without a database: the vault is a few lines here. */
export type GitHubHouse = {
  hub: GitHubStandIn;
  /** Consents as the visitor and gives the raw answer of the token endpoint. */
  consent(): Promise<Record<string, unknown>>;
  token(
    form: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<{ status: number; type: string; text: string }>;
  /** A client as the one who consented, or as the installation. */
  client(o?: { actAs?: ActAs; access?: Access; settings?: Settings }): ReturnType<typeof vendorClient>;
  /** Calls a tool; `settings` are those of the stand-in and these. */
  call(
    tool: string,
    args: object,
    o?: { actAs?: ActAs; access?: Access; settings?: Settings },
  ): Promise<ToolAnswer & { text: string }>;
};

export async function githubHouse(t: TestContext): Promise<GitHubHouse> {
  const hub = await startGitHub();
  const egress = makeEgress({ log: makeLog('silent') });
  t.after(async () => {
    await egress.close();
    await hub.close();
  });
  hub.registerRedirect(REDIRECT);
  const rules = { allowPrivate: Object.values(hub.origins).map((o) => new URL(o).host) };
  const tokens = new Map<string, Secret>();

  const token: GitHubHouse['token'] = async (form, headers = { accept: 'application/json' }) => {
    const answer = await fetch(`${hub.origins['login']}/login/oauth/access_token`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers,
    });
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() };
  };
  const consent: GitHubHouse['consent'] = async () => {
    const verifier = randomBytes(32).toString('base64url');
    const page = await fetch(
      `${hub.origins['login']}/login/oauth/authorize?${new URLSearchParams({
        client_id: hub.app.clientId,
        redirect_uri: REDIRECT,
        state: 's',
        scope: github.oauth?.scopes.read_write.join(' ') ?? '',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      })}`,
      { redirect: 'manual' },
    );
    const code = new URL(page.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const said = await token({
      client_id: hub.app.clientId,
      client_secret: hub.app.clientSecret,
      code,
      redirect_uri: REDIRECT,
      code_verifier: verifier,
    });
    return JSON.parse(said.text) as Record<string, unknown>;
  };

  const client: GitHubHouse['client'] = async ({ actAs = 'person', access = 'read_write', settings = {} } = {}) => {
    const all = github.settings.parse({ ...hub.settings, ...settings });
    const origins = originsOf(github, all, hub.origins);
    const unlock = async (refused?: Secret, narrow?: Readonly<Record<string, unknown>>): Promise<Unlocked> => {
      if (actAs === 'person') {
        const known = tokens.get(hub.visitor.account);
        const opened = known && known !== refused ? known : new Secret(String((await consent())['access_token']));
        tokens.set(hub.visitor.account, opened);
        return { token: opened, scopes: [], facts: {} };
      }
      const minted = await installation.mint({
        fields: hub.accounts['app_installation'] ?? {},
        settings: all,
        access,
        scopes: [],
        subject: undefined,
        narrow,
        origin: (role) => originOf(origins, role),
        fetch: (url, init) => egress.fetch(url, init, rules),
        now: new Date(),
      });
      return { token: minted.token, scopes: [], facts: minted.facts ?? {} };
    };
    return vendorClient({
      manifest: github,
      settings: all,
      origins,
      rules,
      egress,
      unlock,
      signal: new AbortController().signal,
      now: () => new Date(),
      deadline: new Date(Date.now() + 60_000),
    });
  };

  return {
    hub,
    consent,
    token,
    client,
    async call(name, args, o = {}) {
      const tool: BuiltinTool | undefined = github.builtin?.tools.find((x) => x.name === name);
      if (!tool) throw new Error(`no tool ${name}`);
      const vendor = await client(o);
      const answer = await tool.run(
        {
          vendor,
          settings: vendor.settings,
          actAs: o.actAs ?? 'person',
          person: { email: 'ada@acme.example', name: 'Ada' },
          now: new Date(),
          signal: new AbortController().signal,
        },
        tool.input.parse(args) as never,
      );
      return { ...answer, text: answer.content.map((c) => (c.type === 'text' ? c.text : '')).join('\n') };
    },
  };
}
