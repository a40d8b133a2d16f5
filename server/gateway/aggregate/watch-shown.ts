import { sha256 } from '@gatehouse/contract/sha256.ts';
import type { Caller } from '../caller.ts';
import type { Exchange } from '../exchange.ts';
import type { OrgView } from '../org-view.ts';
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
    return shownTo(view, caller, x, gate.world.now());
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

/** By view, and in it by person and connector: of ten thousand streams many are of few people, and each would keep a list. */
const known = new WeakMap<OrgView, Map<string, string>>();

function shownTo(view: OrgView, caller: Caller, { connector }: Exchange, now: Date): string {
  let of = known.get(view);
  if (!of) known.set(view, (of = new Map()));
  const key = `${caller.member}/${connector.slug}`;
  let shown = of.get(key);
  if (shown === undefined) {
    const own = view.connectors.get(connector.slug);
    const all = isAll(connector) ? connectorsOn(view) : own ? [own] : [];
    const names = all.flatMap((c) => shownNames(view, caller, c, now));
    of.set(key, (shown = sha256(names.join('\n')).toString('base64')));
  }
  return shown;
}
