import { event, type AuditEvent } from '#audit/events.ts';
import { jcsOfParsed, type Json } from '@gatehouse/contract/jcs.ts';
import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import type { World } from '#kernel/ctx.ts';
import { parseId } from '#kernel/id.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import type { DlpEngine, EngineVerdict, Inspected } from '../engine.ts';
import type { DlpAction, Finding } from '../verdict.ts';
import { askScanner } from './ask-scanner.ts';
import { covered, sampled, type Standing } from './covered.ts';
import { deadlineIn, ScanFailure } from './exchange.ts';
import { nodeName } from './health.ts';
import type { Said } from './said.ts';
import { egressRules, type Scanner } from './scanner.ts';
import { scannerEvents } from './scanner.events.ts';
import { toldText } from './told-text.ts';
import { keptCredentials, runtimeOf, type Place } from './scanner-runtime.ts';

/** How an inspection by a scanner went, before its mode and fail mode are asked. */
type Scan =
  | { kind: 'said'; said: Said }
  /** Not told: excluded or outside of the percentage. */
  | { kind: 'skipped' }
  /** Nobody knows whether the person is excluded. */
  | { kind: 'unresolved' }
  | { kind: 'failed'; failure: ScanFailure };

/** The finding that says that nobody has looked. */
const NOT_INSPECTED = 'not_inspected';
const found = (detector: string): Finding => ({ detector, at: '', count: 1, hashes: [] });

/** The scanners of an organization that are on, as engines of inspection. Cheap: what is slow is remembered per process. */
export const scannerEngines = (world: World, place: Place, scanners: readonly Scanner[]): DlpEngine[] =>
  scanners.filter((s) => s.state === 'on').map((s) => scannerEngine(world, place, s));

function scannerEngine(world: World, place: Place, s: Scanner): DlpEngine {
  const runtime = runtimeOf(world);
  const kept = runtime.keptOf(s);
  const { health } = kept;

  const tell = (e: AuditEvent): void => runtime.tell(world, place, e);

  const asked = async (c: Inspected, signal: AbortSignal): Promise<Said> => {
    const credentials = await keptCredentials(world, place.org, s, kept, world.now());
    return askScanner(
      {
        scanner: s,
        config: s.config,
        credentials,
        egress: world.egress,
        rules: egressRules(s),
        now: world.now(),
        invocation: invocationOf(c),
        test: false,
      },
      c,
      deadlineIn(s.timeoutMs, signal),
      {
        purview: kept.purview,
        later: (work, what) =>
          runtime.aside.run(work, (e) => {
            const failure = e instanceof ScanFailure ? e : new ScanFailure('broken', `${what} broke`);
            health.failed(failure, world.now());
          }),
      },
    );
  };

  const invocationOf = (c: Inspected): string =>
    `inv_${runtime
      .digest(world, c.org, c.session ?? '', c.phase, canonical(c.content))
      .toString('hex')
      .slice(0, 40)}`;

  const drawn = (c: Inspected): Buffer => runtime.digest(world, s.id, c.session ?? canonical(c.content));

  // INVARIANT (content opens no breaker): what breaks before anybody is asked, or is refused because of what it is, blames no scanner. Else
  // somebody could switch inspection off for others by sending five odd things.
  const scan = async (c: Inspected, signal: AbortSignal): Promise<Scan> => {
    const excludes = s.excludedRoles.length + s.excludedGroups.length > 0;
    const coverage = covered(s, excludes ? await standingOf(world, place, c.actor) : 'machine');
    if (coverage === 'unresolved') return { kind: 'unresolved' };
    if (coverage === 'no' || (s.percentage < 100 && !sampled(s.percentage, drawn(c)))) return { kind: 'skipped' };

    const pass = health.breaker.enter(world.now());
    if (pass === 'no')
      return { kind: 'failed', failure: new ScanFailure('breaker_open', 'it is left alone for a while', false) };
    try {
      const said = await asked(c, signal);
      if (health.breaker.leave(pass, 'ok', world.now()) === 'closed')
        tell(event(scannerEvents, 'dlp.scanner_breaker_closed', { scanner: s.id, node: nodeName }));
      return { kind: 'said', said };
    } catch (e) {
      const failure = e instanceof ScanFailure ? e : new ScanFailure('broken', 'it could not be asked', false);
      if (!(e instanceof ScanFailure)) world.log.error({ err: e, scanner: s.id }, 'a scanner could not be asked');
      const turned = health.breaker.leave(pass, failure.blames ? 'failed' : 'unknown', world.now());
      if (turned === 'opened')
        tell(event(scannerEvents, 'dlp.scanner_breaker_opened', { scanner: s.id, node: nodeName, why: failure.why }));
      return { kind: 'failed', failure };
    }
  };

  const says = (
    action: DlpAction,
    more: Omit<EngineVerdict & { ok: true }, 'ok' | 'engine' | 'action'>,
  ): EngineVerdict => ({
    ok: true,
    engine: s.id,
    action,
    ...more,
  });

  const shadowed = (scan: Scan, c: Inspected): EngineVerdict => {
    // INVARIANT (a shadow stops nothing): whatever it said or did not say, the action is allow.
    if (scan.kind !== 'said') return says('allow', { findings: [] });
    const { action } = scan.said;
    if (action !== 'allow')
      tell(event(scannerEvents, 'dlp.scanner_shadow_verdict', { scanner: s.id, call: c.call, phase: c.phase, action }));
    return says('allow', { findings: [], shadow: action });
  };

  const enforced = (scan: Scan, c: Inspected): EngineVerdict => {
    switch (scan.kind) {
      case 'skipped':
        return says('allow', { findings: [] });
      case 'unresolved':
        return says('block', {
          findings: [found(NOT_INSPECTED)],
          reason: 'it could not be found out whether you are excluded from inspection; try again in a moment',
        });
      case 'said': {
        const { action, spans, reason, reference } = scan.said;
        return says(action, {
          findings: action === 'allow' ? [] : [found(s.id)],
          ...(spans ? { spans } : {}),
          ...(reason === undefined ? {} : { reason }),
          ...(reference === undefined ? {} : { reference }),
        });
      }
      case 'failed': {
        const { why } = scan.failure;
        if (s.failMode === null) return { ok: false, engine: s.id, why };
        if (s.failMode === 'closed')
          return says('block', {
            findings: [found(NOT_INSPECTED)],
            reason: 'a scanner that must see this gave no verdict; try again in a moment',
          });
        tell(event(scannerEvents, 'dlp.scanner_failed_open', { scanner: s.id, call: c.call, phase: c.phase, why }));
        return says('alert', { findings: [found(NOT_INSPECTED)] });
      }
    }
  };

  return {
    id: s.id,
    phases: s.phases,
    async inspect(content, signal) {
      const result = await scan(content, signal);
      if (result.kind === 'said') health.verdicts[result.said.action]++;
      else if (result.kind === 'failed') health.failed(result.failure, world.now());
      else health.skipped++;
      return s.mode === 'shadow' ? shadowed(result, content) : enforced(result, content);
    },
  };
}

/** One text for one content. Half a surrogate pair has no canonical form, and too deep a nesting none that can be made; then it is the text that is told. */
function canonical(content: unknown): string {
  try {
    return jcsOfParsed((content ?? null) as Json); // any JSON value
  } catch {
    return toldText(content).text;
  }
}

/** Role and groups of whoever acts, as they are now. What acts for nobody is a machine. */
async function standingOf(world: World, place: Place, actor: Inspected['actor']): Promise<Standing | 'machine'> {
  if (actor.type === 'api_key' || actor.type === 'system') return 'machine';
  const user = parseId('usr', actor.id);
  if (!user) return undefined;
  try {
    return await world.db.read(place, async (db) => {
      const member = await findMemberByUser(db, user);
      return member && { role: member.role, groups: await groupsOfUser(db, user) };
    });
  } catch (e) {
    world.log.error({ err: e }, 'the role of somebody could not be read');
    return undefined;
  }
}
