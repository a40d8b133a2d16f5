import { sha256 } from '@gatehouse/contract/sha256.ts';
import type { ConnectorView, OrgView } from '../org-view.ts';

/** Stands between connector and tool; a slug has no underscore, so the first one is where it ends. */
const BETWEEN = '__';
/** Longest name that clients take, and the letters of it (MCP, tool names). */
const MAX_NAME = 128;
const legal = /^[A-Za-z0-9_.-]+$/;

/**
 * What a tool or a prompt is called where all connectors are one: always with its connector, so that no name changes when another connector is
 * added. What would be too long or has other letters ends in a hash of its own name.
 */
export function nameInAll(slug: string, own: string): string {
  const plain = `${slug}${BETWEEN}${own}`;
  if (plain.length <= MAX_NAME && legal.test(plain)) return plain;
  const hash = sha256(own).toString('hex').slice(0, 10);
  return `${plain.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, MAX_NAME - 11)}_${hash}`;
}

/** The connector that a name begins with, and what comes after it; undefined: it names none. */
export function splitName(view: OrgView, name: string): { connector: ConnectorView; own: string } | undefined {
  const at = name.indexOf(BETWEEN);
  const connector = at > 0 ? view.connectors.get(name.slice(0, at)) : undefined;
  return connector && { connector, own: name.slice(at + BETWEEN.length) };
}

/** The tool of a name in all; its own name where the connector has none of this name. */
export function toolNamed(connector: ConnectorView, own: string, name: string): string {
  if (connector.tools.has(own)) return own;
  for (const tool of connector.tools.keys()) if (nameInAll(connector.slug, tool) === name) return tool;
  return own;
}

const scheme = (slug: string): string => `gatehouse+${slug}:`;

/** A resource's address, or the template of one, where all connectors are one: the connector in a scheme of its own before it. */
export const uriInAll = (slug: string, uri: string): string => scheme(slug) + uri;

export function splitUri(view: OrgView, uri: string): { connector: ConnectorView; own: string } | undefined {
  const [, slug, own] = /^gatehouse\+([a-z0-9-]+):(.*)$/s.exec(uri) ?? [];
  const connector = slug === undefined ? undefined : view.connectors.get(slug);
  return connector && own !== undefined ? { connector, own } : undefined;
}
