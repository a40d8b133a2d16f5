import type { Dispatcher } from 'undici';

/** What one caller of the outside world is allowed. */
export type EgressRules = {
  /** Hosts (`host` or `host:port`) whose private or loopback addresses may be reached, because the configuration of a connector or connection names them. */
  allowPrivate?: readonly string[];
  /** Largest answer in bytes that `fetch` reads; above it the connection is closed. */
  maxBytes?: number;
  /** Whole time of a `fetch`, headers and body, in milliseconds. */
  timeoutMs?: number;
};

/** Every outgoing request of the server goes through here. */
export interface Egress {
  /** A fetch whose address is checked and pinned at connect; follows no redirect. Works where a library wants a `fetch`. */
  fetch(url: string | URL, init: RequestInit | undefined, rules?: EgressRules): Promise<Response>;
  /** The dispatcher behind it, for the gateway's hot path: same checks at connect, pooled per origin. */
  dispatcher(rules?: EgressRules): Dispatcher;
  close(): Promise<void>;
}
