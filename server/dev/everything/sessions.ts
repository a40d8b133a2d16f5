import { randomUUID } from 'node:crypto';
import {
  WebStandardStreamableHTTPServerTransport,
  type EventStore,
  type JSONRPCMessage,
  type McpServer,
} from '@modelcontextprotocol/server';

/** Events of the streams of one session, so that a client whose stream broke can come back for the rest. */
function eventStore(): EventStore {
  const events: { id: string; stream: string; message: JSONRPCMessage }[] = [];
  return {
    async storeEvent(stream, message) {
      const id = String(events.length + 1);
      events.push({ id, stream, message });
      return id;
    },
    async getStreamIdForEventId(id) {
      return events.find((e) => e.id === id)?.stream;
    },
    async replayEventsAfter(last, { send }) {
      const from = events.find((e) => e.id === last);
      if (!from) throw new Error(`no event ${last}`);
      for (const e of events.slice(events.indexOf(from) + 1))
        // The first event of a stream has no message: it only gives the client an id to come back with.
        if (e.stream === from.stream && Object.keys(e.message).length > 0) await send(e.id, e.message);
      return from.stream;
    },
  };
}

/** The transport of 2025-11-25 and older, with sessions that live in memory until they are deleted. */
export function sessions(make: () => McpServer): (request: Request) => Promise<Response> {
  const open = new Map<string, WebStandardStreamableHTTPServerTransport>();
  return async (request) => {
    const id = request.headers.get('mcp-session-id');
    const known = id === null ? undefined : open.get(id);
    if (known) return known.handleRequest(request);
    if (id !== null)
      return Response.json(
        { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } },
        { status: 404 },
      );
    // Without a session: `initialize` starts one, and the transport refuses everything else.
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: eventStore(),
      retryInterval: 500,
      onsessioninitialized: (s) => void open.set(s, transport),
      onsessionclosed: (s) => void open.delete(s),
    });
    await make().connect(transport);
    return transport.handleRequest(request);
  };
}
