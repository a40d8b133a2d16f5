import {
  Client,
  StreamableHTTPClientTransport,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client';

/** Where the agent says it listens for the answer of the sign-in. Nobody does: the browser hands over the address it was sent to. */
export const callback = 'http://127.0.0.1:33418/callback';

/** What an MCP client keeps about a server it signed in to. In memory; a real one keeps it in a keychain. */
export class Keychain implements OAuthClientProvider {
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
  close(): Promise<void>;
};

/** The person with a browser: gets the address to open and returns where that ended. */
export type SignIn = (authorizeAt: URL) => Promise<URL>;

/** One attempt of a client library to connect, and how it takes the answer of a sign-in. */
export type Attempt<C> = { connect(): Promise<C>; finish(params: URLSearchParams): Promise<void> };

/**
 * Connects as every client does that is told an address and nothing else: it tries, is refused, finds the protected resource, the
 * authorization server and how to register by itself, has its person sign in, and tries again.
 */
export async function connectSigningIn<C>(
  keychain: Keychain,
  attempt: () => Attempt<C>,
  signIn: SignIn,
  tries = 2,
): Promise<C> {
  const { connect, finish } = attempt();
  try {
    return await connect();
  } catch (e) {
    if (!keychain.authorizeAt || tries <= 1) throw e;
    const landed = await signIn(keychain.authorizeAt);
    if (!landed.searchParams.has('code'))
      throw new Error(`signing in ended without a code: ${landed.search}`, { cause: e });
    await finish(landed.searchParams);
    keychain.authorizeAt = undefined;
    return connectSigningIn(keychain, attempt, signIn, tries - 1);
  }
}

/** Connects an unmodified MCP client of the newest revision to `url`. */
export async function connectAgent(url: string, name: string, signIn: SignIn): Promise<Agent> {
  const keychain = new Keychain(name);
  const attempt = (): Attempt<Client> => {
    const client = new Client({ name, version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: keychain });
    return {
      connect: () => client.connect(transport).then(() => client),
      finish: (params) => transport.finishAuth(params),
    };
  };
  const client = await connectSigningIn(keychain, attempt, signIn);
  return { client, keychain, close: () => client.close() };
}

/** The text of a tool's answer. */
export function textOf(result: unknown): string {
  const content: unknown = typeof result === 'object' && result !== null && 'content' in result ? result.content : [];
  return Array.isArray(content)
    ? content.map((c: unknown) => (typeof c === 'object' && c !== null && 'text' in c ? String(c.text) : '')).join('\n')
    : '';
}
