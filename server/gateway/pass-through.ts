import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { noteTools } from '#connectors/note-tools.ts';
import { judge, PASSES, type Verdict } from '#dlp/judge.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import { couldCall, decide } from '#policy/decide.ts';
import { momentOf } from './admit.ts';
import { isAll } from './aggregate/all-connectors.ts';
import { hinted, isListChange } from './cache-hints.ts';
import { inspectedBy } from './content-stages.ts';
import { passSession, towardsUpstream, watch, type Exchange } from './exchange.ts';
import { gatewayEvents } from './gateway.events.ts';
import { isParams, type Message, type Params } from './message.ts';
import { redactJson } from '#dlp/redact-json.ts';
import { readOfAnything } from './session-reads.ts';
import { relay, MAX_STREAM_BYTES, type Relayed } from './relay.ts';
import { refuse, rpcError } from './reply.ts';
import { typeOf } from './eras/ask-http.ts';
import { greetings, shownInstructions } from './shown-instructions.ts';
import { shownTools } from './shown-tools.ts';
import { tellAlone, tellShown } from './tell-shown.ts';
import type { Failure } from './tool-call.ts';
import { Broken } from './upstream.ts';
import type { ConnectorView, OrgView } from './org-view.ts';
import { saveSessionReads } from './session-read.sql.ts';
import type { Caller } from './caller.ts';

/** Methods that are no calls: nothing of a system's content comes with them, or it is filtered here. What is in neither list is refused. */
const free = new Set(['initialize', 'ping', 'server/discover', 'logging/setLevel', 'tools/list']);
/** Of these the names alone tell something, so they need what reading would need. */
const reading = new Set([
  'resources/list',
  'resources/templates/list',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'subscriptions/listen',
]);
const notifications = new Set([
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
]);

/** An hour; a client opens it again then. Long enough to be cheap, short enough that none is for ever. */
export const STREAM_MS = 60 * 60_000;

/** Whatever is not a call: lists, handshakes, notifications, answers to the upstream's questions, streams and the end of a session. */
export async function passThrough(x: Exchange): Promise<void> {
  const { message: m, gate, reply } = x;
  const id = m?.kind === 'request' ? m.id : undefined;
  if (m) await allow(x, m);
  const lasting =
    m === undefined ? x.req.method === 'GET' : m.kind === 'request' && m.method === 'subscriptions/listen';
  const release = watch(
    x,
    lasting ? STREAM_MS : gate.callMs,
    (view) => !lasting || isAll(x.connector) || mayRead(view, x.who.caller, x.connector, gate.world.now()),
  );
  const tell = lasting && !isAll(x.connector) ? tellShown(x) : undefined;
  try {
    const listed = gate.lists.find(x);
    if (listed !== undefined) return await give(x, listed);
    const r = await relay(await towardsUpstream(x), reply, {
      wants: id,
      eager: lasting,
      maxStreamBytes: lasting ? Infinity : MAX_STREAM_BYTES,
      look: (message, raw, text) => {
        if (lasting && isListChange(message['method'])) gate.lists.changed(x.connector.id);
        const part = 'params' in message ? 'params' : 'error' in message ? 'error' : 'result';
        const resumes = m === undefined && !('method' in message);
        const v = looked(x, 'result', message[part] ?? null);
        const passed =
          v === PASSES && !resumes
            ? undefined
            : givenOut(x, v, text, part).then(async (instead) => {
                if (resumes) await resumed(x, message, raw);
                return instead;
              });
        tell?.passes(message, passed);
        return passed;
      },
      head(h) {
        passSession(x, h['mcp-session-id']);
        if (typeOf(h) === 'text/event-stream') tell?.begins();
      },
    });
    if (r.kind === 'message' && r.status === 200) gate.lists.keep(x, r.text);
    if (tell && m === undefined && r.kind !== 'ended' && r.status === 405) await tellAlone(x, tell);
    else await give(x, r);
  } catch (e) {
    if (reply.streaming || reply.res.headersSent) reply.res.end();
    else refuse(gate.world, reply, x.path, e instanceof Broken ? asRefusal(e) : asProblem(e), id ?? null);
  } finally {
    tell?.stop();
    release();
  }
}

/**
 * An answer on a stream of its own is the rest of a call whose stream ended early, which older clients may resume. That call is in the log
 * as interrupted; that its answer was taken after all is recorded before it is given out.
 */
async function resumed(x: Exchange, answer: Params, raw: Buffer): Promise<void> {
  if (x.headers['last-event-id'] === undefined)
    throw new Broken('malformed', 'the connector sent an answer where none was asked for');
  // Lists and greetings pass a review on their way out; what comes by this way was asked for elsewhere, and nobody knows as what.
  const result = answer['result'];
  if (isParams(result) && ('tools' in result || 'instructions' in result))
    throw new Broken('malformed', 'the connector sent a list of tools or instructions where a call is resumed');
  const facts = { connector: x.connector.id, bytes: raw.length, error: 'error' in answer };
  const { member, client } = x.who.caller;
  await change({ ...x.ctx, now: x.gate.world.now() }, async (tx) => {
    // Nobody knows of which call it is the answer, so it brings whatever there is.
    await saveSessionReads(tx, readOfAnything({ member, client, run: undefined }, x.connector.id, x.ctx.now));
    return { value: undefined, events: [event(gatewayEvents, 'answer.resumed', facts)] };
  });
}

async function give(x: Exchange, r: Relayed): Promise<void> {
  const { reply } = x;
  if (r.kind === 'ended') {
    reply.beginStream();
    reply.res.end();
    return;
  }
  if (r.kind === 'empty') {
    const allow = r.headers.allow;
    if (r.status >= 400)
      reply.json(
        r.status,
        rpcError(null, -32000, `the connector answered with status ${r.status}`),
        allow ? { allow } : {},
      );
    else reply.empty(r.status);
    return;
  }
  // Of all connectors at once, each list has been cut already as its connector's.
  const list = x.message?.kind === 'request' && x.message.method === 'tools/list' && !isAll(x.connector);
  if (!list) {
    const part = 'error' in r.message ? 'error' : 'result';
    const greets = x.message?.kind === 'request' && greetings.has(x.message.method) && !isAll(x.connector);
    const shown = greets
      ? await shownInstructions(x, r.text, r.message[part])
      : { text: r.text, result: r.message[part] };
    const redacted = await givenOut(x, looked(x, 'result', shown.result ?? null), shown.text, part);
    return reply.give(r, hinted(x, redacted ?? shown.text));
  }
  reply.give(r, await filtered(x, r.text));
}

/** A list of tools as this person may see it. What is not as reviewed is written down before anybody is told what there is. */
export async function filtered(x: Exchange, text: string): Promise<string> {
  const { tools, id: connector, type } = x.connector;
  const { policies } = x.view;
  const { user, groups } = x.who.caller;
  const shown = shownTools(
    text,
    (t) => {
      const k = tools.get(t.name);
      // By what the upstream says now, not by what was last known: a definition that came back as reviewed is written down below.
      if (k?.class === undefined || k.reviewedPin !== t.pin) return false;
      return couldCall(policies, {
        user,
        groups,
        tool: { connector, type, name: t.name, class: k.class, outward: k.outward },
        context: momentOf(policies, x.ctx.now),
      });
    },
    (t) => {
      const k = tools.get(t.name);
      return k !== undefined && k.state !== 'removed' && k.pin === t.pin;
    },
  );
  // Of tools of ours, what differs is another version's, which org-view.ts sees to.
  if (shown.other.length > 0 && x.connector.builtin === undefined)
    await noteTools({ ...x.ctx, actor: { kind: 'system', id: 'gateway.list' } }, connector, shown.other);
  return hinted(x, shown.text);
}

async function allow(x: Exchange, m: Message): Promise<void> {
  if (m.kind === 'response') return goingOut(x, m.answer);
  const { method } = m;
  const known = m.kind === 'notification' ? notifications.has(method) : free.has(method) || reading.has(method);
  if (!known)
    throw new Problem('missing', 'gateway/unknown-method', {
      says: `${JSON.stringify(method.slice(0, 60))} is not a method that this gateway passes on`,
      fix: 'methods of MCP 2026-07-28 and 2025-11-25 are; extensions are not',
    });
  if (!isAll(x.connector) && reading.has(method) && !mayRead(x.view, x.who.caller, x.connector, x.ctx.now))
    throw new Problem('forbidden', 'gateway/no-reading', {
      says: 'no rule lets you read from this connector',
      fix: 'ask an administrator if this is needed for the work',
    });
  return goingOut(x, m.params);
}

/** What all engines say about a message that is no call. Such messages read, so they fail as reading does. */
const looked = (x: Exchange, phase: 'arguments' | 'result', content: unknown): Verdict | Promise<Verdict> =>
  judge(
    x.view.dlp,
    {
      ...inspectedBy(x, phase),
      connector: x.connector.id,
      tool: undefined,
      class: 'read',
      call: x.reply.request,
      content,
    },
    x.who.caller.groups,
    x.end.signal,
  );

/** Of what is no call nothing can be kept or asked about, so everything above redacting stops it. Whatever was found is recorded first. */
async function ruled(x: Exchange, phase: 'arguments' | 'result', v: Verdict): Promise<'passes' | 'stopped'> {
  x.gate.metrics.inspected(v.action);
  if (v.action === 'allow') return 'passes';
  const facts = {
    connector: x.connector.id,
    method: x.message && 'method' in x.message ? x.message.method : null,
    phase,
    action: v.action,
    findings: v.findings.slice(0, 100).map((f) => ({ ...f, hashes: [...f.hashes] })),
    unheard: v.failed.map((f) => `${f.engine}: ${f.why}`).slice(0, 20),
  };
  await change({ ...x.ctx, now: x.gate.world.now() }, async () => ({
    value: undefined,
    events: [event(gatewayEvents, 'message.inspected', facts)],
  }));
  return v.action === 'alert' || v.action === 'redact' ? 'passes' : 'stopped';
}

async function goingOut(x: Exchange, content: unknown): Promise<void> {
  const at = looked(x, 'arguments', content);
  const v = at instanceof Promise ? await at : at;
  if (v === PASSES) return;
  // A message that must be changed to be sent is one that its sender can change himself.
  if ((await ruled(x, 'arguments', v)) === 'stopped' || v.redactions.length > 0)
    throw blockedOut(v.findings.map((f) => f.detector));
}

/** The text of a message as it may be given out; undefined: as it came. */
async function givenOut(
  x: Exchange,
  said: Verdict | Promise<Verdict>,
  text: string,
  part: 'params' | 'result' | 'error',
): Promise<string | undefined> {
  const v = said instanceof Promise ? await said : said;
  if (v === PASSES) return undefined;
  if ((await ruled(x, 'result', v)) === 'stopped') throw stopped(v.findings.map((f) => f.detector));
  return v.redactions.length > 0 ? redactJson(text, [part], v.redactions) : undefined;
}

/** A list of one of several connectors as it may be given out. */
export const passedOut = async (x: Exchange, text: string, result: unknown): Promise<string> =>
  hinted(x, (await givenOut(x, looked(x, 'result', result), text, 'result')) ?? text);

/** Resources and prompts have no review of their own: whoever may use a read tool by the name of the method may read them. */
export const mayRead = (view: OrgView, c: Caller, at: Pick<ConnectorView, 'id' | 'type'>, now: Date): boolean =>
  decide(view.policies, {
    user: c.user,
    groups: c.groups,
    tool: { connector: at.id, type: at.type, name: 'resources/read', class: 'read' },
    action: 'call',
    context: { ...momentOf(view.policies, now), args: {} },
  }).allowed;

const stopped = (detectors: readonly string[]): Problem =>
  new Problem('forbidden', 'gateway/blocked-result', {
    says: `what came back contains ${detectors.join(', ')} and is not given out`,
    fix: 'ask an administrator if it should be',
  });
const blockedOut = (detectors: readonly string[]): Problem =>
  new Problem('forbidden', 'gateway/blocked-message', {
    says: `the message contains ${detectors.join(', ')} and was not sent`,
    fix: 'take it out and send the message again',
  });

/** Not `forbidden`: what is missing is at another system, and signing in here again would not help. */
const noCredential: ReadonlySet<Failure> = new Set(['not_connected', 'reconnect', 'app']);

const asRefusal = (e: Broken): Problem => {
  const kind = noCredential.has(e.why)
    ? 'conflict'
    : e.why === 'later' || e.why === 'timeout' || e.why === 'unreachable'
      ? 'unavailable'
      : e.why === 'access_ended'
        ? 'unauthenticated'
        : 'upstream';
  return new Problem(kind, `gateway/upstream-${e.why.replaceAll('_', '-')}`, { says: e.says, because: e });
};
