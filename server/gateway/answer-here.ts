import { serveBuiltin } from '#connectors/kit/serve-builtin.ts';
import { vendorClient, type Unlock } from '#connectors/kit/vendor-client.ts';
import type { Builtin, Manifest } from '#connectors/kit/manifest.ts';
import type { Access, Person, Settings } from '#vault/vendor-auth.ts';
import { originsOf } from '#vault/vendor-address.ts';
import type { World } from '#kernel/ctx.ts';
import { asNoCredential } from './credential.ts';
import type { ConnectorView } from './org-view.ts';
import { Broken, type Sender } from './upstream.ts';

/** What a connector whose tools are ours is made of. */
export type BuiltinView = {
  manifest: Manifest;
  builtin: Builtin;
  access: Access;
  settings: Settings;
  /** Addresses that stand in place of the manifest's. */
  replaced: Readonly<Record<string, string>>;
};

/** Longest time of one built-in tool: several requests to a vendor, and what it asks to wait. */
export const TOOL_MS = 120_000;

/**
 * Answers a request in this process, where an upstream would: what is looked at, recorded and passed on is the same, because it comes through the
 * same sink.
 */
export function answerHere(
  world: Pick<World, 'egress' | 'log' | 'now' | 'origin'>,
  {
    connector,
    of,
    person,
    unlock,
    toolMs,
  }: {
    connector: ConnectorView;
    of: BuiltinView;
    person: Person;
    unlock: Unlock;
    toolMs: number;
  },
): Sender {
  return (request, sink) => {
    const end = new AbortController();
    const signal = AbortSignal.any([request.signal, end.signal]);
    const answer = async (): Promise<void> => {
      if (request.method !== 'POST' || request.body === undefined) {
        sink.head(405, { allow: 'POST' });
        return;
      }
      const reply = await serveBuiltin(request.body, request.headers['mcp-protocol-version'], {
        manifest: of.manifest,
        builtin: of.builtin,
        access: of.access,
        actAs: connector.actAs,
        settings: of.settings,
        person,
        open: (until) =>
          vendorClient({
            manifest: of.manifest,
            settings: of.settings,
            origins: originsOf(of.manifest, of.settings, of.replaced),
            rules: connector.rules,
            egress: world.egress,
            unlock,
            now: () => world.now(),
            ...until,
          }),
        signal,
        toolMs,
        now: () => world.now(),
        log: world.log,
      });
      if (signal.aborted) throw signal.reason;
      sink.head(reply.status, reply.text === undefined ? {} : { 'content-type': 'application/json' });
      if (reply.text !== undefined) sink.data(Buffer.from(reply.text));
    };
    // Later, as from a network: whoever sends has this sending in hand before anything of the answer comes.
    const done = Promise.resolve()
      .then(answer)
      .catch((e: unknown) => {
        if (signal.aborted)
          throw signal.reason instanceof Error ? signal.reason : new Broken('client_left', 'the client left');
        throw asNoCredential(e, connector, world.origin) ?? e;
      });
    return { done, resume: () => undefined, abort: (why) => end.abort(why) };
  };
}
