import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { OrgCtx } from '#kernel/ctx.ts';
import { letsIn } from '#identity/access/org-access.ts';
import type { Carrier } from './carrier.ts';
import type { Known } from './caller.ts';
import type { Gate } from './start-gateway.ts';
import type { Message } from './message.ts';
import type { ConnectorView, OrgView } from './org-view.ts';
import type { Reply } from './reply.ts';
import { answerHere, TOOL_MS } from './answer-here.ts';
import { askMoreFor, unlockFor, withCredential } from './credential.ts';
import { isAll } from './aggregate/all-connectors.ts';
import { sendAll } from './aggregate/send-all.ts';
import { eraSender, sendUpTo } from './eras/era-sender.ts';
import type { SessionBody } from './session-id.ts';
import { Broken, upstreamHeaders, type Sender, type UpstreamRequest } from './upstream.ts';

/** One request of a client, as far as it is understood. */
export type Exchange = {
  gate: Gate;
  req: IncomingMessage;
  /** Of the request, as the connector's own address would have got them. */
  headers: IncomingHttpHeaders;
  reply: Reply;
  path: string;
  ctx: OrgCtx;
  who: Known;
  view: OrgView;
  connector: ConnectorView;
  /** What the client's session stands for, opened from its id. */
  session: SessionBody | undefined;
  body: Buffer | undefined;
  message: Message | undefined;
  end: AbortController;
};

/**
 * The request that goes upstream: the same bytes, the connector's own credential, and only headers that MCP names.
 * @param writes whether it is a call that changes something
 */
export async function towardsUpstream(
  x: Exchange,
  as: Pick<Carrier, 'headers' | 'body'> = { headers: x.headers, body: x.body },
  writes = false,
): Promise<UpstreamRequest> {
  const { connector, gate } = x;
  const method = x.req.method === 'GET' || x.req.method === 'DELETE' ? x.req.method : 'POST';
  const request: UpstreamRequest = {
    dispatcher: gate.world.egress.dispatcher(connector.rules),
    origin: connector.origin,
    path: connector.path,
    method,
    headers: upstreamHeaders(as.headers, x.session?.kind === 'upstream' ? x.session.id : undefined),
    body: as.body,
    bearer: connector.actAs === 'none' ? await connector.bearer() : undefined,
    signal: x.end.signal,
  };
  if (isAll(connector)) return { ...request, send: x.session?.kind === 'ours' ? sendUpTo(x, sendAll(x)) : sendAll(x) };
  // Our own tools speak every revision.
  if (connector.builtin !== undefined) return { ...request, send: senderOf(x, writes) };
  const base = connector.actAs === 'none' ? request : { ...request, send: senderOf(x, writes) };
  const translated = await eraSender(x, base);
  return translated ? { ...base, send: translated } : base;
}

/** How a request goes that needs more than the connector's own bearer. */
function senderOf(x: Exchange, writes: boolean): Sender {
  const { connector, gate } = x;
  const { caller } = x.who;
  const unlock = unlockFor({ ctx: x.ctx, caller, connector, credentials: gate.credentials, writes });
  if (connector.builtin === undefined)
    return withCredential(
      unlock,
      connector,
      gate.world.origin,
      askMoreFor({ ctx: x.ctx, caller, connector }, gate.world.origin),
    );
  if (connector.builtin === 'unknown')
    throw new Broken('ours', `this version of Gatehouse does not have the tools of ${connector.name}`);
  const person = { email: caller.email ?? '', name: caller.name };
  return answerHere(gate.world, {
    connector,
    of: connector.builtin,
    person,
    unlock,
    toolMs: Math.min(TOOL_MS, gate.callMs),
  });
}

/** Ends what is under way after `ms`, when the client leaves, and when access ends. Returns how to let go of it. */
export function watch(x: Exchange, ms: number, still: (view: OrgView) => boolean): () => void {
  const { gate, end, who } = x;
  const left = (): void => {
    if (!x.reply.res.writableFinished) end.abort(new Broken('client_left', 'the client left'));
  };
  x.reply.res.once('close', left);
  const timer = setTimeout(
    () => end.abort(new Broken('timeout', `the connector did not answer within ${Math.round(ms / 1000)} seconds`)),
    ms,
  );
  timer.unref();
  const remove = gate.streams.add({
    parent: who.caller.parent,
    org: who.caller.org,
    end,
    async still() {
      const caller = await gate.callers.still(who.token);
      if (!caller || !letsIn(caller.addresses, who.address)) return false;
      const view = await gate.views(who.caller);
      return (isAll(x.connector) || view.connectors.get(x.connector.slug)?.state === 'on') && still(view);
    },
  });
  return () => {
    clearTimeout(timer);
    remove();
    x.reply.res.removeListener('close', left);
  };
}

/** The upstream's session, sealed for this member; set as a header of our answer. */
export function passSession(x: Exchange, upstream: string | string[] | undefined): void {
  if (typeof upstream === 'string') giveSession(x, { kind: 'upstream', id: upstream });
}

/** A session for this member at this connector, sealed into the header of our answer. */
export function giveSession(x: Exchange, body: SessionBody): void {
  const sealed = x.gate.sessions.seal({
    body,
    member: x.who.caller.member,
    connector: x.connector.id,
    expires: x.ctx.now.getTime() + x.gate.sessionMs,
  });
  if (sealed === undefined)
    throw new Broken(
      'malformed',
      "the connector's session id, or what the client said in its greeting, is nothing that a header can have",
    );
  x.reply.extra['mcp-session-id'] = sealed;
}
