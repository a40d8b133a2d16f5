import type { Metrics } from '#kernel/telemetry.ts';
import type { DlpAction } from '#dlp/verdict.ts';
import type { Reached } from './limits/fair-use.ts';
import type { Outcome } from './tool-call.ts';

export type GatewayMetrics = {
  ended(kind: Outcome['kind'], seconds: number): void;
  /** Content was looked at, and this is to be done with it. */
  inspected(action: DlpAction): void;
  /** A call was not let in because there are too many. */
  tooMany(r: Reached): void;
};

/** Figures of the gateway; labels are the six endings and nothing of a person. */
export function gatewayMetrics(metrics: Metrics | undefined, open: () => number): GatewayMetrics {
  if (!metrics) return { ended: () => undefined, inspected: () => undefined, tooMany: () => undefined };
  const calls = metrics.counter('gatehouse_tool_calls_total', 'Tool calls by how they ended.', ['outcome']);
  const time = metrics.histogram(
    'gatehouse_tool_call_seconds',
    'Tool calls from arrival to answer, upstream included.',
  );
  const looked = metrics.counter(
    'gatehouse_dlp_verdicts_total',
    'Content that was inspected, by what was to be done with it.',
    ['action'],
  );
  const refused = metrics.counter(
    'gatehouse_too_many_calls_total',
    'Calls that were refused because a limit was reached, by limit.',
    ['limit', 'measure'],
  );
  const streams = metrics.gauge('gatehouse_open_streams', 'Calls and streams that are open on this node.');
  // Counted when somebody asks, so that the hot path does not.
  Object.assign(streams, { collect: () => streams.set(open()) });
  return {
    ended(kind, seconds) {
      calls.inc({ outcome: kind });
      time.observe(seconds);
    },
    tooMany: (r) => refused.inc({ limit: r.limited, measure: r.measure }),
    inspected: (action) => looked.inc({ action }),
  };
}
