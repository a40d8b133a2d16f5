import { Problem } from '#kernel/problem.ts';
import { visible } from '#kernel/visible.ts';
import { isRecord } from '../tool.ts';
import type { OpenApiDocument } from './read-document.ts';
import { wordOf } from './refusal.ts';

/** An address at which the document says that the service is. */
export type StatedServer = {
  /** As it is written, with {variables}. */
  url: string;
  description: string;
  variables: { name: string; default: string; allowed: string[] }[];
};

const MAX_SERVERS = 50;

/** The servers that a document names; those of single operations are not among them. */
export function serversOf({ root }: OpenApiDocument, from?: URL): StatedServer[] {
  const list = Array.isArray(root['servers']) ? root['servers'].filter(isRecord) : [];
  return list.slice(0, MAX_SERVERS).flatMap((s): StatedServer[] => {
    if (typeof s['url'] !== 'string' || s['url'].length > 1000) return [];
    // An address without a host is under the one from which the document came (OpenAPI, server object).
    const url = from && /^\.{0,2}\/(?!\/)/.test(s['url']) ? decodedBraces(new URL(s['url'], from).href) : s['url'];
    return [
      {
        url: visible(url),
        description: typeof s['description'] === 'string' ? visible(s['description']).slice(0, 300) : '',
        variables: Object.entries(isRecord(s['variables']) ? s['variables'] : {})
          .slice(0, 20)
          .map(([name, v]) => ({
            name,
            default: isRecord(v) && v['default'] !== undefined ? wordOf(v['default']) : '',
            allowed: isRecord(v) && Array.isArray(v['enum']) ? v['enum'].map(wordOf).slice(0, 100) : [],
          })),
      },
    ];
  });
}

const decodedBraces = (href: string): string => href.replaceAll('%7B', '{').replaceAll('%7D', '}');

/** What an administrator chose: one of the document's servers or an address of his own, and what its variables stand for. */
export type ServerChoice = { url: string; variables?: Readonly<Record<string, string>> | undefined };

/** The base address of all calls: complete, without user, query and fragment. Whether it may be reached, egress says. */
export function baseOf(servers: readonly StatedServer[], chosen: ServerChoice): string {
  const stated = servers.find((s) => s.url === chosen.url);
  const filled = chosen.url.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = stated?.variables.find((v) => v.name === name);
    const given = chosen.variables && Object.hasOwn(chosen.variables, name) ? chosen.variables[name] : undefined;
    const value = given ?? variable?.default ?? '';
    if (value === '')
      throw unfit(
        `the address has {${visible(name).slice(0, 60)}}, and nothing says what it stands for`,
        'give it in variables',
      );
    if (variable && variable.allowed.length > 0 && !variable.allowed.includes(value))
      throw unfit(
        `${visible(name).slice(0, 60)} cannot be ${JSON.stringify(value.slice(0, 60))}`,
        `choose from: ${variable.allowed.join(', ')}`,
      );
    if (/[\s\\?#@]/.test(value))
      throw unfit(
        `what ${visible(name).slice(0, 60)} stands for has a character that no address has there`,
        'give it as the service shows it',
      );
    return value;
  });
  const url = URL.parse(filled);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw unfit(
      `${JSON.stringify(visible(filled).slice(0, 200))} is not a complete address`,
      'give one that begins with https://',
    );
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw unfit('the address has a user, a query or a fragment', 'give it as https://host or https://host/path');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

const unfit = (says: string, fix: string): Problem =>
  new Problem('invalid', 'connectors/openapi-server', { says, fix });
