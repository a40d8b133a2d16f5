import type { Id } from '#kernel/id.ts';
import type { DlpView } from './dlp-view.ts';
import { failClassOf, type FailMode } from './dlp-policy.ts';
import type { DlpEngine, EngineFailure, EngineVerdict, Inspected } from './engine.ts';
import { CLEAN, inspect, type LocalVerdict } from './inspect.ts';
import { NOT_INSPECTED } from './scan.ts';
import { worse, type DlpAction, type Finding, type Redaction } from './verdict.ts';

/** Our own detectors, where engines are named. */
export const LOCAL = 'detectors';

/** What all engines together say about content. */
export type Verdict = {
  /** `require_approval` only of arguments: elsewhere nobody is left to ask, and it is kept instead. */
  action: DlpAction;
  findings: readonly Finding[];
  /** Whatever the action: what policies want replaced before the content goes on. */
  redactions: readonly Redaction[];
  twoPeople: boolean;
  /** Of the engine that was the most severe, for people. Never content. */
  reason: string | undefined;
  reference: string | undefined;
  /** Engines that gave no verdict; what that came to is in the action. */
  failed: readonly { engine: string; why: EngineFailure }[];
  /** What engines in shadow mode would have done. */
  shadow: readonly { engine: string; action: DlpAction }[];
};

const nothing = { reason: undefined, reference: undefined, failed: [], shadow: [] } as const;
/** Shared by everything that is clean, because nearly everything is. */
export const PASSES: Verdict = { ...CLEAN, ...nothing };

/** An engine ends by itself long before; this is for one that does not. */
export const ENGINE_MS = 12_000;

/**
 * What is to be done with content: our own detectors first, then every outside engine that is asked about this phase, all at once; the most
 * severe counts. A promise only where somebody must be waited for. INVARIANT (silence is not consent): an engine that breaks, is silent or
 * cannot be understood counts as the fail mode of the tool's class: closed blocks, open lets it pass with an alert and the finding `not_inspected`.
 */
export function judge(
  view: DlpView,
  what: Inspected,
  groups: readonly Id<'grp'>[],
  signal?: AbortSignal,
): Verdict | Promise<Verdict> {
  const mode = view.failModes[failClassOf(what.class)];
  const engines = view.engines.length === 0 ? view.engines : view.engines.filter((e) => e.phases.includes(what.phase));
  let local: LocalVerdict | Promise<LocalVerdict>;
  try {
    local = inspect(view.looking({ phase: what.phase, connector: what.connector, groups }), what.content);
  } catch {
    return together(broken(LOCAL, 'broken', mode), engines, what, mode, signal);
  }
  if (!(local instanceof Promise)) {
    if (engines.length === 0 && local === CLEAN) return PASSES;
    return together({ ...local, ...nothing }, engines, what, mode, signal);
  }
  return local.then(
    (l) => together({ ...l, ...nothing }, engines, what, mode, signal),
    () => together(broken(LOCAL, 'broken', mode), engines, what, mode, signal),
  );
}

function together(
  local: Verdict,
  engines: readonly DlpEngine[],
  what: Inspected,
  mode: FailMode,
  signal: AbortSignal | undefined,
): Verdict | Promise<Verdict> {
  // What is stopped anyway need not be shown to anybody outside.
  if (engines.length === 0 || local.action === 'block') return settled(local, what);
  return Promise.all(engines.map((e) => heard(e, what, signal))).then((said) => {
    let all = local;
    for (const v of said) all = merged(all, v.ok ? asVerdict(v) : broken(v.engine, v.why, mode));
    return settled(all, what);
  });
}

/** One engine's word, whatever it does: throwing and silence are words too. */
async function heard(e: DlpEngine, what: Inspected, signal: AbortSignal | undefined): Promise<EngineVerdict> {
  const end = new AbortController();
  const left = (): void => end.abort();
  signal?.addEventListener('abort', left, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<EngineVerdict>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, engine: e.id, why: 'timeout' }), ENGINE_MS);
    end.signal.addEventListener('abort', () => resolve({ ok: false, engine: e.id, why: 'timeout' }), { once: true });
  });
  if (signal?.aborted) left();
  try {
    return await Promise.race([e.inspect(what, end.signal), late]);
  } catch {
    return { ok: false, engine: e.id, why: 'broken' };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', left);
    end.abort();
  }
}

function asVerdict(v: EngineVerdict & { ok: true }): Verdict {
  const redactions = v.spans ?? [];
  return {
    // It wants something taken out and does not say what.
    action: v.action === 'redact' && redactions.length === 0 ? 'block' : v.action,
    findings: v.findings,
    redactions: v.action === 'redact' ? redactions : [],
    twoPeople: false,
    reason: v.reason,
    reference: v.reference,
    failed: [],
    shadow: v.shadow === undefined ? [] : [{ engine: v.engine, action: v.shadow }],
  };
}

const broken = (engine: string, why: EngineFailure, mode: FailMode): Verdict => ({
  action: mode === 'closed' ? 'block' : 'alert',
  findings: [{ detector: NOT_INSPECTED, at: '', count: 1, hashes: [] }],
  redactions: [],
  twoPeople: true,
  reason: undefined,
  reference: undefined,
  failed: [{ engine, why }],
  shadow: [],
});

/** Two verdicts about one thing. */
export function merged(a: Verdict, b: Verdict): Verdict {
  const action = worse(a.action, b.action);
  const worst = a.action === action ? a : b;
  return {
    action,
    findings: [...a.findings, ...b.findings],
    redactions: [...a.redactions, ...b.redactions],
    twoPeople: a.twoPeople || b.twoPeople,
    reason: worst.reason,
    reference: worst.reference,
    failed: [...a.failed, ...b.failed],
    shadow: [...a.shadow, ...b.shadow],
  };
}

const settled = (v: Verdict, what: Inspected): Verdict =>
  v.action === 'require_approval' && what.phase !== 'arguments' ? { ...v, action: 'quarantine' } : v;
