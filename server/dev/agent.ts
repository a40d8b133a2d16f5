import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client';

/** Where the agent says it listens for the answer of the sign-in. Nobody does: the browser hands over the address it was sent to. */
export const callback = 'http://127.0.0.1:33418/callback';

/** What an MCP client keeps about a server it signed in to. In memory; a real one keeps it in a keychain. */
class Keychain implements OAuthClientProvider {
  client: StoredOAuthClientInformation | undefined;
  held: StoredOAuthTokens | undefined;
  verifier = '';
  authorizeAt: URL | undefined;
  discovered: OAuthDiscoveryState | undefined;
  readonly #name: string;
  constructor(name: string) {
    this.#name = name;
  }
  get redirectUrl(): string {
    return callback;
  }
  get clientMetadata() {
    return {
      client_name: this.#name,
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native' as const,
    };
  }
  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.client;
  }
  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.client = client;
  }
  tokens(): StoredOAuthTokens | undefined {
    return this.held;
  }
  saveTokens(tokens: StoredOAuthTokens): void {
    this.held = tokens;
  }
  redirectToAuthorization(url: URL): void {
    this.authorizeAt = url;
  }
  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }
  codeVerifier(): string {
    return this.verifier;
  }
  invalidateCredentials(): void {
    this.held = undefined;
  }
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.discovered = state;
  }
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovered;
  }
}

export type Agent = {
  client: Client;
  /** What the client holds; for looking, not for cheating. */
  keychain: Keychain;
  /** The protocol revision that client and server settled on. */
  close(): Promise<void>;
};

/**
 * Connects an unmodified MCP client to `url`. It is told the address and nothing else: it finds the protected resource, the authorization
 * server and how to register by itself. `signIn` is the person with a browser: it gets the address to open and returns where that ended.
 */
export async function connectAgent(
  url: string,
  name: string,
  signIn: (authorizeAt: URL) => Promise<URL>,
): Promise<Agent> {
  const keychain = new Keychain(name);
  const open = async (): Promise<Client> => {
    const client = new Client({ name, version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: keychain });
    try {
      await client.connect(transport);
      return client;
    } catch (e) {
      if (!(e instanceof UnauthorizedError) || !keychain.authorizeAt) throw e;
      const landed = await signIn(keychain.authorizeAt);
      const code = landed.searchParams.get('code');
      if (code === null) throw new Error(`signing in ended without a code: ${landed.search}`, { cause: e });
      await transport.finishAuth(landed.searchParams);
      keychain.authorizeAt = undefined;
      return open();
    }
  };
  const client = await open();
  return { client, keychain, close: () => client.close() };
}

/** The text of a tool's answer. */
export function textOf(result: unknown): string {
  const content: unknown = typeof result === 'object' && result !== null && 'content' in result ? result.content : [];
  return Array.isArray(content)
    ? content.map((c: unknown) => (typeof c === 'object' && c !== null && 'text' in c ? String(c.text) : '')).join('\n')
    : '';
}
