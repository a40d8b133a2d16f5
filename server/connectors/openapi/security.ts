import { visible } from '#kernel/visible.ts';
import { isRecord } from '../tool.ts';
import { followed } from './argument-schema.ts';
import type { Auth } from './auth.ts';
import { Unfit, wordOf } from './refusal.ts';

/** A security scheme of a document, and what an administrator would choose for it. */
export type ProposedSecurity = {
  scheme: string;
  /** As the document says it. */
  type: string;
  /** What to give as `auth`, and the addresses that go with it; null: it cannot be used, and `why` says so. */
  auth: Auth | null;
  authorizeUrl: string | null;
  tokenUrl: string | null;
  why: string | null;
};

const MAX_SCHEMES = 50;

/** The ways in which a document says that its service knows who calls. */
export function securityOf(root: Readonly<Record<string, unknown>>): ProposedSecurity[] {
  return schemesOf(root).map(([scheme, s]) => {
    const type = visible(wordOf(s['type'])).slice(0, 40);
    const none = { scheme: visible(scheme).slice(0, 100), type, authorizeUrl: null, tokenUrl: null };
    const as = (auth: Auth): ProposedSecurity => ({ ...none, auth, why: null });
    const not = (why: string): ProposedSecurity => ({ ...none, auth: null, why });
    if (s['type'] === 'apiKey') {
      const { in: where, name } = s;
      if ((where !== 'header' && where !== 'query') || typeof name !== 'string')
        return not('keys in a header or in the query can be sent; cookies cannot');
      return /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name)
        ? as({ kind: 'api_key', in: where, name })
        : not('its name is none that can be sent');
    }
    if (s['type'] === 'http') {
      const how = wordOf(s['scheme']).toLowerCase();
      if (how === 'bearer' || how === 'basic') return as({ kind: how });
      return not(`the HTTP scheme ${visible(how).slice(0, 40)} is not spoken; bearer and basic are`);
    }
    if (s['type'] === 'oauth2') return ofFlows(s['flows'], none, not);
    if (s['type'] === 'openIdConnect')
      return not(
        'give its authorization and token addresses yourself, as auth of the kind oauth2 with authorizeUrl and tokenUrl',
      );
    return not(`${type} is not supported; a key, bearer, basic and OAuth 2.0 are`);
  });
}

function ofFlows(
  flows: unknown,
  none: Pick<ProposedSecurity, 'scheme' | 'type' | 'authorizeUrl' | 'tokenUrl'>,
  not: (why: string) => ProposedSecurity,
): ProposedSecurity {
  const flow = (name: string): Readonly<Record<string, unknown>> | undefined => {
    const f = isRecord(flows) && Object.hasOwn(flows, name) ? flows[name] : undefined;
    return isRecord(f) ? f : undefined;
  };
  const text = (v: unknown): string | null => (typeof v === 'string' ? visible(v).slice(0, 500) : null);
  const scopesOf = (f: Readonly<Record<string, unknown>>): string[] =>
    (isRecord(f['scopes']) ? Object.keys(f['scopes']) : [])
      .filter((s) => /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(s))
      .slice(0, 100);
  const code = flow('authorizationCode');
  if (code) {
    const all = scopesOf(code);
    return {
      ...none,
      auth: {
        kind: 'oauth2',
        scopes: { read_only: all.filter((s) => /read|view|get|openid/i.test(s)), read_write: all },
        clientAuth: 'client_secret_basic',
      },
      authorizeUrl: text(code['authorizationUrl']),
      tokenUrl: text(code['tokenUrl']),
      why: null,
    };
  }
  const client = flow('clientCredentials');
  if (client)
    return {
      ...none,
      auth: { kind: 'client_credentials', scopes: scopesOf(client), clientAuth: 'client_secret_basic' },
      tokenUrl: text(client['tokenUrl']),
      why: null,
    };
  return not(
    'of OAuth 2.0, the flows authorizationCode and clientCredentials are spoken; implicit and password are not safe',
  );
}

/** Where credentials go, by `in:name` in lower case: no argument may be sent there. */
export const apiKeyNames = (root: Readonly<Record<string, unknown>>): ReadonlySet<string> =>
  new Set(
    schemesOf(root).flatMap(([, s]) =>
      s['type'] === 'apiKey' ? [`${wordOf(s['in'])}:${wordOf(s['name']).toLowerCase()}`] : [],
    ),
  );

function schemesOf(root: Readonly<Record<string, unknown>>): [string, Readonly<Record<string, unknown>>][] {
  const components = root['components'];
  const schemes = isRecord(components) ? components['securitySchemes'] : undefined;
  if (!isRecord(schemes)) return [];
  return Object.entries(schemes)
    .slice(0, MAX_SCHEMES)
    .flatMap(([name, stated]): [string, Readonly<Record<string, unknown>>][] => {
      try {
        const { value } = followed(root, stated, '#/components/securitySchemes');
        return isRecord(value) ? [[name, value]] : [];
      } catch (e) {
        if (e instanceof Unfit) return [];
        throw e;
      }
    });
}
