import type { Line } from '@gatehouse/contract/tunnel/line.ts';
import type { Id } from '#kernel/id.ts';
import { reaches } from './tunnel.ts';

/** An agent whose connection this node holds. */
export type LocalAgent = {
  id: Id<'tag'>;
  org: Id<'org'>;
  parent: Id<'par'>;
  tunnel: Id<'tun'>;
  generation: number;
  allow: readonly string[];
  line: Line;
};

/** The agents of this node. */
export class LocalAgents {
  readonly #of = new Map<string, Set<LocalAgent>>();

  add(a: LocalAgent): void {
    const set = this.#of.get(a.tunnel) ?? new Set();
    this.#of.set(a.tunnel, set.add(a));
  }

  remove(a: LocalAgent): void {
    const set = this.#of.get(a.tunnel);
    set?.delete(a);
    if (set?.size === 0) this.#of.delete(a.tunnel);
  }

  all(): LocalAgent[] {
    return [...this.#of.values()].flatMap((set) => [...set]);
  }

  /** One that may be asked for this address now: of several, the one with least to do. */
  pick(tunnel: string, url: URL): LocalAgent | undefined {
    let best: LocalAgent | undefined;
    for (const a of this.#of.get(tunnel) ?? [])
      if (a.line.free && reaches(a.allow, url) && (!best || a.line.open < best.line.open)) best = a;
    return best;
  }
}
