import { changeTogether } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Told } from '#audit/inbox.sql.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Log } from '#kernel/log.ts';
import { gatewayEvents } from '../gateway.events.ts';
import type { Limited } from './call-limits.ts';
import type { Asked, Reached } from './fair-use.ts';
import { MINUTE } from './window.ts';

/** What is to be written down is gathered for this long, because a version is bumped with it and every node then reads the org again. */
const GATHER_MS = 1000;

/** What the limit is of, beside the person who was refused. */
const subject: Record<Limited, (a: Asked) => string[]> = {
  person: () => [],
  personHere: (a) => [a.connector],
  connector: (a) => [a.connector],
  tool: (a) => [a.connector, a.tool],
};

/**
 * Writes down that somebody was refused, once for each person, limit and minute: a flood must not become one of the log. The request does not wait
 * for it, since nothing was let through.
 */
export class Refusals {
  readonly #log: Log;
  readonly #noted = new Set<string>();
  #minute = 0;
  readonly #waiting = new Map<string, { ctx: OrgCtx; told: Told[] }>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(log: Log) {
    this.#log = log;
  }

  note(ctx: OrgCtx, a: Asked, r: Reached, now: Date): void {
    const minute = Math.floor(now.getTime() / MINUTE);
    if (minute !== this.#minute) this.#noted.clear();
    this.#minute = minute;
    const key = JSON.stringify([a.org, a.member, r.limited, r.measure, ...subject[r.limited](a)]);
    if (this.#noted.has(key)) return;
    this.#noted.add(key);
    const data = {
      connector: a.connector,
      tool: a.tool === '' ? null : a.tool.slice(0, 128),
      member: a.member,
      limit: r.limited,
      measure: r.measure,
      found: r.found,
      most: r.most,
    };
    const waits = this.#waiting.get(a.org) ?? { ctx, told: [] };
    waits.told.push({ by: { ...ctx, now }, events: [event(gatewayEvents, 'tool.refused_as_too_many', data)] });
    this.#waiting.set(a.org, waits);
    this.#timer ??= setTimeout(() => void this.settle(), GATHER_MS).unref();
  }

  /** Writes what was gathered. */
  settle(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gathered = [...this.#waiting.values()];
    this.#waiting.clear();
    return (this.#writing = this.#writing.then(async () => {
      for (const { ctx, told } of gathered)
        await changeTogether(ctx, async () => ({ value: undefined, told })).catch((err: unknown) =>
          this.#log.error({ err, events: told.length }, 'that calls were refused as too many was not written down'),
        );
    }));
  }
}
