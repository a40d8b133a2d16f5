import type { Egress, EgressRules } from '#kernel/egress.ts';
import type { Id } from '#kernel/id.ts';
import { MiB } from '#kernel/limits.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { egressRules } from './connector.ts';

/** Where and as whom to ask. */
export type Upstream = {
  url: string;
  privateHost: string | undefined;
  tunnel: Id<'tun'> | undefined;
  bearer: Secret | undefined;
  /** What egress may do for it; default: reach its own private host. */
  rules?: EgressRules;
};
/** A catalogue of a thousand reviewed tools fits; more is not for people to review. */
export const MAX_CATALOGUE_BYTES = 8 * MiB;
/** An administrator waits for this at the screen. */
export const CATALOGUE_TIMEOUT_MS = 10_000;

export type Message = { id?: number; method: string; params?: object };

/** Posts one message to an MCP server. */
export async function send(
  egress: Egress,
  upstream: Upstream,
  message: Message,
  headers: Record<string, string> = {},
): Promise<Response> {
  return reached(upstream, () =>
    egress.fetch(
      upstream.url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(upstream.bearer ? { authorization: `Bearer ${upstream.bearer.reveal()}` } : {}),
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      },
      { ...(upstream.rules ?? egressRules(upstream)), maxBytes: MAX_CATALOGUE_BYTES, timeoutMs: CATALOGUE_TIMEOUT_MS },
    ),
  );
}

/** What goes wrong on the way, in words for the administrator. */
export async function reached<T>(upstream: Upstream, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    const p = asProblem(e);
    // What egress refuses, the administrator must read: it is about the address that he typed.
    if (p.kind === 'invalid' || p.kind === 'conflict') throw p;
    throw new Problem('upstream', 'connectors/unreachable', {
      says: `the server at ${new URL(upstream.url).host} could not be reached${p.kind === 'upstream' ? `: ${p.says}` : ''}`,
      fix: 'check the address and that it answers from where this server runs',
      because: e,
    });
  }
}

/** Refuses an answer that is none to what was asked. */
export async function checkStatus(response: Response, upstream: Upstream): Promise<void> {
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel();
    throw new Problem('upstream', 'connectors/not-let-in', {
      says: `the server at ${new URL(upstream.url).host} answers ${response.status} to ${upstream.bearer ? 'the bearer token that was given' : 'a request without a credential'}`,
      fix: 'give a bearer token that it accepts',
    });
  }
  if (response.status >= 300 && response.status < 400)
    throw broken('it answers with a redirect; give the address that it redirects to, if you trust it');
  if (!response.ok) throw broken(`it answers with status ${response.status}`);
}

/** The refusal of what is no MCP server. */
export const broken = (what: string, because?: unknown): Problem =>
  new Problem('upstream', 'connectors/not-mcp', {
    says: `this is not an MCP server that we understand: ${what}`,
    fix: 'check the address; MCP 2026-07-28 and 2025-11-25 over streamable HTTP, and servers of 2024-11-05 over HTTP+SSE, are understood',
    because,
  });
