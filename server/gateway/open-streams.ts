import type { Id } from '#kernel/id.ts';
import type { Log } from '#kernel/log.ts';
import type { Versions } from '#kernel/versions.ts';
import { Broken } from './upstream.ts';

/** Something that lasts: a call under way or a stream. `still` asks again whether it may go on. */
export type OpenStream = {
  parent: Id<'par'>;
  org: Id<'org'>;
  end: AbortController;
  still(): Promise<boolean> | boolean;
};

/**
 * Everything that is open on this node, so that access that ends also ends what began before. INVARIANT (access ends): whenever something of
 * a parent or an org changes, all that is open there is judged again; what cannot be judged is ended.
 */
export function openStreams(
  versions: Versions,
  log: Log,
): { add(s: OpenStream): () => void; size(): number; close(): void } {
  const open = new Map<string, Set<OpenStream>>();
  const of = (scope: string): Set<OpenStream> => {
    let set = open.get(scope);
    if (!set) open.set(scope, (set = new Set()));
    return set;
  };

  const judge = async (s: OpenStream): Promise<void> => {
    let may = false;
    try {
      may = await s.still();
    } catch (err) {
      log.warn({ err }, 'what is open could not be judged again and is ended');
    }
    if (!may) s.end.abort(new Broken('access_ended', 'access ended while this was under way'));
  };
  const stop = versions.onChange((scope) => {
    const affected = scope === undefined ? new Set([...open.values()].flatMap((s) => [...s])) : (open.get(scope) ?? []);
    for (const s of affected) void judge(s);
  });

  return {
    add(s) {
      of(s.parent).add(s);
      of(s.org).add(s);
      return () => {
        for (const scope of [s.parent, s.org]) {
          const set = open.get(scope);
          set?.delete(s);
          if (set?.size === 0) open.delete(scope);
        }
      };
    },
    size: () => [...open.values()].reduce((n, s) => n + s.size, 0) / 2,
    close: stop,
  };
}
