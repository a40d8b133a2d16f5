import type { Metrics } from '#kernel/telemetry.ts';
import type { Outcome } from './tool-call.ts';

export type GatewayMetrics = { ended(kind: Outcome['kind'], seconds: number): void };

/** Figures of the gateway; labels are the six endings and nothing of a person. */
export function gatewayMetrics(metrics: Metrics | undefined, open: () => number): GatewayMetrics {
  if (!metrics) return { ended: () => undefined };
  const calls = metrics.counter('gatehouse_tool_calls_total', 'Tool calls by how they ended.', ['outcome']);
  const time = metrics.histogram(
    'gatehouse_tool_call_seconds',
    'Tool calls from arrival to answer, upstream included.',
  );
  const streams = metrics.gauge('gatehouse_open_streams', 'Calls and streams that are open on this node.');
  // Counted when somebody asks, so that the hot path does not.
  Object.assign(streams, { collect: () => streams.set(open()) });
  return {
    ended(kind, seconds) {
      calls.inc({ outcome: kind });
      time.observe(seconds);
    },
  };
}
