import { keepContent } from '#dlp/keep-content.ts';
import { judge, merged, type Verdict } from '#dlp/judge.ts';
import { sameRequest, type Asker } from '#dlp/quarantine.ts';
import { findKeptFor } from '#dlp/quarantine.sql.ts';
import { takeReleased } from '#dlp/take-released.ts';
import type { Inspected } from '#dlp/engine.ts';
import { scopeOf } from '#kernel/ctx.ts';
import type { Stages } from './call-tool.ts';
import type { CallScene } from './stages.ts';
import { classOf, type ToolCall } from './tool-call.ts';

/** Who calls and from where, as engines see it. */
export const inspectedBy = (
  { ctx, who, session }: Pick<CallScene, 'ctx' | 'who' | 'session'>,
  phase: 'arguments' | 'result',
): Pick<Inspected, 'phase' | 'org' | 'actor' | 'session'> => ({
  phase,
  org: ctx.org,
  actor: { type: 'agent', id: who.caller.user, email: who.caller.email },
  session: session?.id ?? who.token.grant,
});

/** The stages of a call that have to do with its content. */
export function contentStages(
  s: CallScene,
): Pick<Stages, 'kept' | 'inspect' | 'redactArguments' | 'redactResult' | 'keep' | 'take'> {
  const { ctx, who, view, carrier } = s;
  const asker: Asker = { member: who.caller.member, user: who.caller.user, client: who.caller.client };
  const sameOf = (call: ToolCall): string =>
    sameRequest(
      asker,
      s.hashArgs({ connector: call.connector, method: call.method, tool: call.tool, args: call.args ?? null }),
    );
  return {
    kept(call) {
      // INVARIANT (once): what we remember is up to a second old, and a call that changes something must not run again while its result is kept.
      const sure = classOf(call) === 'read' || !view.dlp.mayKeep('result');
      let same: string | undefined;
      const known = (): string => (same ??= sameOf(call));
      if (sure && !view.dlp.mayBeKept(known)) return undefined;
      // What was released was read by people; this would read the same and be another call.
      if (carrier.inexact !== undefined) return undefined;
      return ctx.db.read(scopeOf(ctx), (db) => findKeptFor(db, known(), ctx.now));
    },
    inspect(phase, call, content) {
      const look = (of: unknown): Verdict | Promise<Verdict> =>
        judge(
          view.dlp,
          {
            ...inspectedBy(s, phase),
            connector: call.connector,
            tool: call.known?.name ?? call.method,
            class: classOf(call),
            call: call.id,
            content: of,
          },
          who.caller.groups,
          s.signal,
        );
      const v = look(content);
      const beside = carrier.beside(phase);
      if (beside === undefined) return v;
      const more = look(beside);
      return v instanceof Promise || more instanceof Promise
        ? Promise.all([v, more]).then(([of, also]) => withBeside(of, also))
        : withBeside(v, more);
    },
    redactArguments: (call, redactions) => carrier.redactArguments(call, redactions),
    redactResult: (redactions) => carrier.redactResult(redactions),
    async keep(phase, call, verdict) {
      if (carrier.inexact !== undefined) return undefined;
      try {
        return await keepContent(ctx, {
          phase,
          same: sameOf(call),
          call: call.id,
          connector: call.connector,
          tool: call.known?.name ?? call.method,
          asker,
          content: phase === 'arguments' ? JSON.stringify(call.args ?? null) : carrier.resultText(),
          verdict,
        });
      } catch (err) {
        // It is stopped all the same; only nobody can release it.
        ctx.log.error({ err, call: call.id }, 'content could not be kept for review and is blocked');
        return undefined;
      }
    },
    async take(kept, call) {
      const content = await takeReleased(ctx, kept, call.id);
      if (content === undefined) return undefined;
      return kept.phase === 'result' ? carrier.giveResult(content) : { bytes: content.length, error: false };
    },
  };
}

/** What stands beside the content cannot be mended, kept or agreed to by itself: it passes or it stops the call. */
const withBeside = (v: Verdict, also: Verdict): Verdict =>
  also.action === 'allow'
    ? v
    : merged(v, { ...also, action: also.action === 'alert' ? 'alert' : 'block', redactions: [] });
