import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { connectSigningIn, Keychain, textOf, type Attempt, type SignIn } from './agent.ts';

/** What a client says of an answer to a call. */
export type Said = { text: string; refused: boolean };

/** An MCP client as its users have it, whatever library it is made of. */
export type AnyClient = {
  tools(): Promise<string[]>;
  call(name: string, args?: Record<string, unknown>, onProgress?: () => void): Promise<Said>;
  /** What its person was asked in the middle of calls. */
  asked: readonly string[];
  /** How often it was told that its list of tools is another. */
  changes(): number;
  /** The access token that it got first; for looking, not for cheating. */
  token: string;
  close(): Promise<void>;
};

export type ClientKind = {
  name: string;
  /** Comes again by itself while a call waits for a yes; else it reads so and its agent calls again. */
  comesAgain: boolean;
  connect(url: string, name: string, signIn: SignIn): Promise<AnyClient>;
};

/** What the person answers to every question. */
const given = { action: 'accept' as const, content: { name: 'Bianca', username: 'bianca', email: 'b@example.com' } };
const capabilities = { elicitation: { form: {} } };
const said = (r: unknown): Said => ({
  text: textOf(r),
  refused: typeof r === 'object' && r !== null && 'isError' in r && r.isError === true,
});

const newest = (mode: 'auto' | 'legacy'): ClientKind['connect'] =>
  async function connect(url, name, signIn) {
    const keychain = new Keychain(name);
    const asked: string[] = [];
    let changes = 0;
    const attempt = (): Attempt<Client> => {
      const client = new Client(
        { name, version: '1.0.0' },
        {
          versionNegotiation: { mode },
          capabilities,
          listChanged: { tools: { onChanged: () => void changes++ } },
        },
      );
      client.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params.message);
        return given;
      });
      const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: keychain });
      return {
        connect: () => client.connect(transport).then(() => client),
        finish: (params) => transport.finishAuth(params),
      };
    };
    const client = await connectSigningIn(keychain, attempt, signIn);
    return {
      tools: async () => (await client.listTools()).tools.map((t) => t.name),
      call: async (tool, args = {}, onProgress) =>
        said(
          await client.callTool(
            { name: tool, arguments: args },
            { timeout: 120_000, ...(onProgress ? { onprogress: onProgress } : {}) },
          ),
        ),
      asked,
      changes: () => changes,
      token: keychain.held?.access_token ?? '',
      close: () => client.close(),
    };
  };

/** The library that most clients are still made of; it knows nothing newer than 2025-11-25. */
const older: ClientKind['connect'] = async (url, name, signIn) => {
  const keychain = new Keychain(name);
  const asked: string[] = [];
  let changes = 0;
  const attempt = (): Attempt<OldClient> => {
    const client = new OldClient(
      { name, version: '1.0.0' },
      { capabilities, listChanged: { tools: { onChanged: () => void changes++ } } },
    );
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push(params.message);
      return given;
    });
    const transport = new OldTransport(new URL(url), { authProvider: keychain });
    return {
      connect: () => client.connect(transport).then(() => client),
      finish: (params) => transport.finishAuth(params.get('code') ?? ''),
    };
  };
  const client = await connectSigningIn(keychain, attempt, signIn);
  return {
    tools: async () => (await client.listTools()).tools.map((t) => t.name),
    call: async (tool, args = {}, onProgress) =>
      said(
        await client.callTool({ name: tool, arguments: args }, undefined, {
          timeout: 120_000,
          ...(onProgress ? { onprogress: onProgress } : {}),
        }),
      ),
    asked,
    changes: () => changes,
    token: keychain.held?.access_token ?? '',
    close: () => client.close(),
  };
};

/** One client of each era that is on npm, and the newer one as it speaks to servers that know only the older revision. */
export const clientKinds: readonly ClientKind[] = [
  { name: '@modelcontextprotocol/client 2.x', comesAgain: true, connect: newest('auto') },
  { name: '@modelcontextprotocol/client 2.x in the older revision', comesAgain: false, connect: newest('legacy') },
  { name: '@modelcontextprotocol/sdk 1.x', comesAgain: false, connect: older },
];
