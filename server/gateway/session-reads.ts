import { hash } from 'node:crypto';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { bringsOf, type AskedTool, type SessionFacts } from '#policy/schema.ts';
import { listSessionReads, type ReadSource, type SessionRead } from './session-read.sql.ts';
import { classOf, type ToolCall } from './tool-call.ts';

/** What a session has read lately, newest first, and what that comes to. */
export type HasRead = SessionFacts & { sources: readonly ReadSource[] };

/**
 * Whose session a call is of: one client for one member, whichever connectors and consents it has. `run` is what the client itself names a task
 * by; it adds what other clients of the member read under that name, and takes nothing away: an agent must not get a clean slate by saying so.
 */
export type SessionOf = { member: Id<'mem'>; client: string; run: string | undefined };

const keysOf = (s: SessionOf): string[] =>
  [['client', s.client], ...(s.run === undefined ? [] : [['run', s.run]])].map((what) =>
    hash('sha256', JSON.stringify([s.member, ...what]), 'hex'),
  );

/** What is written where an answer is given out and nobody knows of which tool. */
export const readOfAnything = (who: SessionOf, connector: Id<'con'>, at: Date): SessionRead[] =>
  keysOf(who).map((session) => ({ session, connector, tool: 'answer/resumed', untrusted: true, private: true, at }));

/** Reading the same again is written down again after this long only, so that reading costs next to nothing; what is looked at is longer by it. */
const AGAIN_MS = 5 * 60_000;
/** What is remembered as written; beyond it, it is written once more. */
const MAX_REMEMBERED = 100_000;
const HOUR = 60 * 60_000;

/**
 * What sessions read. INVARIANT (durable first): what brings something into a session is in PostgreSQL before its answer is given, so any node
 * that is asked to send something out afterwards finds it. A node remembers only what it knows to be durable.
 */
export class SessionReads {
  readonly #durable = new Map<string, number>();

  /** What is to be written with the end of a call whose content is given out; undefined: it stands there already, or there is nothing in it. */
  of(who: SessionOf, call: ToolCall, at: Date): { rows: SessionRead[]; durable(): void } | undefined {
    const brings = bringsOf({ class: classOf(call), brings: call.known?.brings });
    if (brings.length === 0) return undefined;
    // Not hashed before it is written: most calls read what was read a moment ago.
    const name = JSON.stringify([who.member, who.client, who.run, call.connector, call.tool, brings]);
    const then = this.#durable.get(name);
    if (then !== undefined && Math.abs(at.getTime() - then) < AGAIN_MS) return undefined;
    const { connector, tool } = call;
    const what = { untrusted: brings.includes('untrusted'), private: brings.includes('private') };
    return {
      rows: keysOf(who).map((session) => ({ session, connector, tool, ...what, at })),
      durable: () => {
        if (this.#durable.size >= MAX_REMEMBERED) this.#durable.clear();
        this.#durable.set(name, at.getTime());
      },
    };
  }

  /** What counts of the session for a call that is made now. */
  async find(ctx: OrgCtx, who: SessionOf, hours: number): Promise<HasRead> {
    const since = new Date(ctx.now.getTime() - hours * HOUR - AGAIN_MS);
    const sources = await ctx.db.read(scopeOf(ctx), (db) => listSessionReads(db, keysOf(who), since));
    return {
      readUntrusted: sources.some((s) => s.untrusted),
      readPrivate: sources.some((s) => s.private),
      sources,
    };
  }
}

/** What policy is asked about a call's tool. */
export const askedToolOf = (call: ToolCall): AskedTool => ({
  connector: call.connector,
  name: call.tool,
  class: classOf(call),
  type: call.type,
  outward: call.known?.outward,
});

/** Sources of one kind that are named; more would not be read. */
const MAX_NAMED = 3;
/** "untrusted text (get_issue of github) and private content (search of drive)". */
export function wordsOfRead(read: HasRead, nameOf: (connector: string) => string): string {
  const of = (kind: 'untrusted' | 'private'): string => {
    const names = [...new Set(read.sources.filter((s) => s[kind]).map((s) => `${s.tool} of ${nameOf(s.connector)}`))];
    const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
    return `${names.slice(0, MAX_NAMED).join(', ')}${more}`;
  };
  return `text that outsiders can have written (${of('untrusted')}) and private content (${of('private')})`;
}
