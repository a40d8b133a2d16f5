import type { Exchange } from '../exchange.ts';
import { connectorsOn, isAll } from './all-connectors.ts';
import { shownNames } from './shown-names.ts';

/** Several changes at once, as of a review of many tools, are told as one. */
const GATHER_MS = 100;

/**
 * Calls back when what this person sees at the connector (or at all of them) has changed by something of ours: a policy, a review, a group, a
 * connector switched on or off. Returns how to stop.
 */
export function watchShown(x: Exchange, changed: () => void): () => void {
  const { gate } = x;
  const seen = async (): Promise<string | undefined> => {
    const caller = await gate.callers.still(x.who.token);
    if (!caller) return undefined;
    const view = await gate.views(caller);
    const own = view.connectors.get(x.connector.slug);
    const all = isAll(x.connector) ? connectorsOn(view) : own ? [own] : [];
    return all.flatMap((c) => shownNames(view, caller, c, gate.world.now())).join('\n');
  };
  let last: Promise<string | undefined> = seen().catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    timer = undefined;
    last = last.then(async (before) => {
      const now = await seen().catch(() => undefined);
      if (now !== undefined && before !== undefined && now !== before) changed();
      return now ?? before;
    });
  };
  const stop = gate.versions.onChange((scope) => {
    if (scope !== undefined && scope !== x.who.caller.org && scope !== x.who.caller.parent) return;
    timer ??= setTimeout(look, GATHER_MS).unref();
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
