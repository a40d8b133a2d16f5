import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { change } from '#audit/change.ts';
import type { AuditEvent } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Egress } from '#kernel/egress.ts';
import type { Id } from '#kernel/id.ts';
import { openCredentials, type Opened } from './credentials.ts';
import { HealthKeeper, type Health } from './health.ts';
import { PurviewMemory } from './purview/memory.ts';
import type { Scanner, ScannerKind } from './scanner.ts';

/** What a process remembers of a scanner between inspections. */
export type Kept = {
  health: HealthKeeper;
  purview: PurviewMemory;
  /** Opened once; again when the secret before ends, and after a failure. */
  credentials: { opened: Promise<Opened<ScannerKind>>; until: Date | undefined } | undefined;
};

export type Place = { parent: Id<'par'>; org: Id<'org'> };

/** What scanners tell the log within this goes in one transaction: each of those makes every node read the organization again. */
const GATHER_MS = 250;
/** Of one transaction. */
const MAX_TOLD = 200;

/** Scanners remembered at once; one more and the oldest is forgotten, which closes its breaker. */
const MAX_KEPT = 10_000;

/** Work that nobody waits for, e.g. an event about a verdict that changes nothing. Tests and whoever stops can wait. */
export class Aside {
  readonly #under = new Set<Promise<void>>();
  run(work: Promise<unknown>, failed: (e: unknown) => void): void {
    const p = work.then(() => undefined, failed).finally(() => this.#under.delete(p));
    this.#under.add(p);
  }
  async settled(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under);
  }
}

/**
 * What one process knows of all scanners: breakers, tokens, scopes. A change of configuration or secret begins a new memory, so that an
 * administrator who has repaired something need not wait.
 */
export class ScannerRuntime {
  readonly aside = new Aside();
  readonly #untold = new Map<Id<'org'>, AuditEvent[]>();
  readonly #kept = new Map<string, { of: string; kept: Kept }>();
  #key: Buffer | undefined;

  keptOf(s: Scanner): Kept {
    const of = JSON.stringify([
      s.config,
      s.allowPrivate,
      s.timeoutMs,
      s.secrets.generation,
      s.secrets.previous?.until ?? null,
    ]);
    const known = this.#kept.get(s.id);
    if (known?.of === of) return known.kept;
    const kept: Kept = { health: new HealthKeeper(), purview: new PurviewMemory(), credentials: undefined };
    this.#kept.set(s.id, { of, kept });
    const [oldest] = this.#kept;
    if (oldest && this.#kept.size > MAX_KEPT) this.#kept.delete(oldest[0]);
    return kept;
  }

  /** Writes an event that nothing waits for. What a process that dies had gathered is lost; what a call came to is in the call's own event. */
  tell(world: World, place: Place, e: AuditEvent): void {
    const waiting = this.#untold.get(place.org);
    if (waiting) {
      waiting.push(e);
      return;
    }
    const events = [e];
    this.#untold.set(place.org, events);
    this.aside.run(
      sleep(GATHER_MS).then(async () => {
        this.#untold.delete(place.org);
        for (let [first, ...rest] = events.splice(0, MAX_TOLD); first; [first, ...rest] = events.splice(0, MAX_TOLD)) {
          const told: [AuditEvent, ...AuditEvent[]] = [first, ...rest];
          await change(systemCtx(world, 'dlp.scanner', place), async () => ({ value: undefined, events: told }));
        }
      }),
      (err) => world.log.error({ err, org: place.org }, 'events about scanners could not be written'),
    );
  }

  healthOf(s: Scanner): Health {
    return this.keptOf(s).health.shown();
  }

  /** Keyed, so that what is derived from content tells nobody without the key what the content was. */
  digest(world: Pick<World, 'seal'>, ...parts: readonly string[]): Buffer {
    this.#key ??= world.seal.derive('dlp-invocation');
    const mac = createHmac('sha256', this.#key);
    for (const p of parts) mac.update(`${p.length}:`).update(p);
    return mac.digest();
  }
}

const runtimes = new WeakMap<Egress, ScannerRuntime>();

/** The runtime of the process that has this way out: there is one of each. */
export function runtimeOf(world: Pick<World, 'egress'>): ScannerRuntime {
  let r = runtimes.get(world.egress);
  if (!r) runtimes.set(world.egress, (r = new ScannerRuntime()));
  return r;
}

/** The credentials of a scanner, opened once per process and configuration. */
export function keptCredentials(
  world: Pick<World, 'seal'>,
  org: Id<'org'>,
  s: Scanner,
  kept: Kept,
  now: Date,
): Promise<Opened<ScannerKind>> {
  const known = kept.credentials;
  if (known && (known.until === undefined || known.until > now)) return known.opened;
  const opened = openCredentials(world.seal, org, s, s.config.kind, now);
  const mine = {
    opened,
    until: s.secrets.previous && s.secrets.previous.until > now ? s.secrets.previous.until : undefined,
  };
  kept.credentials = mine;
  opened.catch(() => {
    if (kept.credentials === mine) kept.credentials = undefined;
  });
  return opened;
}
