import { decode, encode, PROTOCOL, Refused, type Reason, type Welcome } from '@gatehouse/contract/tunnel/frame.ts';
import { Line } from '@gatehouse/contract/tunnel/line.ts';
import { shownDestination, type Destination } from '@gatehouse/contract/tunnel/destination.ts';
import { serveStream } from './serve-stream.ts';

export type Connecting = {
  /** Of the server. */
  url: URL;
  secret: string;
  name: string;
  version: string;
  allow: readonly Destination[];
  /** It was let in. */
  welcome(w: Welcome): void;
  /** Something here broke. */
  fault(e: unknown): void;
  /** The server will end this connection when what is under way is done; another one is wanted. */
  leaving(): void;
};

export type Connection = {
  /** Resolves when it is over, with why. */
  over: Promise<Reason>;
  /** Takes nothing new, finishes what is under way, and ends. */
  leave(): void;
  /** Ends now. */
  end(): void;
};

/** To be let in. */
const HELLO_MS = 20_000;

/** One connection to the server, from its first frame to its end. The secret is in the first frame and nowhere else. */
export function connect(c: Connecting): Connection {
  const address = new URL('/tunnel', c.url);
  address.protocol = c.url.protocol === 'https:' ? 'wss:' : 'ws:';
  const ws = new WebSocket(address);
  ws.binaryType = 'arraybuffer';
  let line: Line | undefined;
  let last: Reason = { code: 'gone', says: 'the connection ended' };
  let silence = setTimeout(
    () => stop({ code: 'silent', says: 'the server did not let the agent in, in time' }),
    HELLO_MS,
  );
  let watching: NodeJS.Timeout | undefined;
  let settled = false;
  const { promise: over, resolve } = Promise.withResolvers<Reason>();

  const stop = (reason: Reason): void => {
    if (settled) return;
    settled = true;
    clearTimeout(silence);
    clearInterval(watching);
    line?.closed(reason);
    ws.close();
    resolve(reason);
  };
  const send = (bytes: Uint8Array): void => {
    if (ws.readyState === WebSocket.OPEN) ws.send(bytes as Uint8Array<ArrayBuffer>);
  };

  ws.addEventListener('open', () =>
    send(
      encode({
        type: 'hello',
        hello: {
          protocol: PROTOCOL,
          secret: c.secret,
          name: c.name,
          version: c.version,
          allow: c.allow.map(shownDestination),
        },
      }),
    ),
  );
  ws.addEventListener('message', ({ data }) => {
    if (settled) return;
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array();
    if (line) {
      silence.refresh();
      return line.receive(bytes);
    }
    try {
      const first = decode(bytes);
      if (first.type === 'bye') return stop(first.reason);
      if (first.type !== 'welcome') throw new Refused('order', 'the server did not say that the agent is let in');
      begin(first.welcome);
    } catch (e) {
      stop(
        e instanceof Refused ? e.reason : { code: 'broken', says: 'the first answer of the server could not be read' },
      );
    }
  });
  ws.addEventListener('error', (e) => {
    last = { code: 'unreachable', says: `the server could not be reached${said(e)}` };
  });
  ws.addEventListener('close', () => stop(last));

  const begin = (w: Welcome): void => {
    clearTimeout(silence);
    // The server sends a ping each `pingSeconds`; three of them missing is no slow network any more.
    silence = setTimeout(
      () => stop({ code: 'silent', says: 'nothing comes from the server any more' }),
      w.pingSeconds * 3000,
    );
    line = new Line({
      port: { send, close: () => ws.close() },
      role: 'answers',
      onFault: (e) => c.fault(e),
      onOpen: (head, stream) => serveStream(c.allow, head, stream),
      onLeaving(reason) {
        last = reason;
        if (reason.code === 'restart') c.leaving();
      },
      onEnd: stop,
    });
    c.welcome(w);
  };

  return {
    over,
    leave() {
      if (!line) return stop({ code: 'leaving', says: 'the agent stops' });
      line.leave({ code: 'leaving', says: 'the agent stops' });
      const quiet = (): void => {
        if ((line?.open ?? 0) === 0) stop({ code: 'leaving', says: 'the agent stops' });
      };
      quiet();
      watching = setInterval(quiet, 50);
    },
    end: () => stop({ code: 'leaving', says: 'the agent stops' }),
  };
}

/** What a WebSocket lets us know of why it could not be made. */
function said(e: Event): string {
  const error: unknown = 'error' in e ? e.error : undefined;
  const message = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : '';
  return message === '' ? '' : ` (${message})`;
}
