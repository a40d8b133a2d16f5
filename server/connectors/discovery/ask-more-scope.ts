import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { findAskedScopes, saveAskedScopes } from './asked-scopes.sql.ts';
import { discoveryEvents } from './discovery.events.ts';

/** As often a consent may turn out too small for the same thing before people are not sent there again. */
const MAX_TRIES = 3;
const MAX_ASKED = 50;

/** `consent`: the person can give it, at the next consent. `vain`: what it asks for was given, or asked for in vain too often. */
export type MoreScope = { kind: 'consent'; scopes: readonly string[] } | { kind: 'vain' };

/**
 * An MCP server says that a connection's token is too small for what was asked of it (403 insufficient_scope). The next consent asks for all that
 * there was and for this. INVARIANT (no circle): a server that is never content is believed three times.
 */
export const askMoreScope = (ctx: OrgCtx, connection: Id<'cnn'>, needs: readonly string[]): Promise<MoreScope> =>
  change<MoreScope>(ctx, async (tx) => {
    const vain = { value: { kind: 'vain' } as const, unchanged: true as const };
    const c = await findAskedScopes(tx, connection);
    if (!c) return vain;
    const missing = needs.filter((s) => !c.scopes.includes(s));
    if (missing.length === 0) return vain;
    const asked = [...new Set([...c.asked, ...missing])];
    // A token that came before the last one was found too small already.
    if (c.generation === c.askedGeneration && asked.length === c.asked.length)
      return { value: { kind: 'consent', scopes: missing } as const, unchanged: true };
    const tries = c.generation === c.askedGeneration ? c.tries : c.tries + 1;
    if (tries > MAX_TRIES || asked.length > MAX_ASKED) return vain;
    await saveAskedScopes(tx, connection, { asked, tries, generation: c.generation });
    const data = { connection, connector: c.connector, scopes: missing.length, tries };
    return {
      value: { kind: 'consent', scopes: missing } as const,
      events: [event(discoveryEvents, 'connection.scope_asked', data)],
    };
  });
