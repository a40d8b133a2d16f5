import { SpanStatusCode, trace, type Attributes, type Span } from '@opentelemetry/api';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Figures of one process in Prometheus' text form. A name is made once and belongs to whoever made it; labels have few values and are
 * never a person, an e-mail or an id, because whoever may read `/metrics` may not read the log.
 */
export interface Metrics {
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** Of seconds, unless the name says otherwise. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>;
  /** The body of `/metrics`. */
  text(): Promise<string>;
  /** And its type. */
  readonly contentType: string;
}

/** From a cached decision to a vendor's slow day. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

/** The metrics of this process: memory, event loop and garbage collection are there from the start. Names begin with `gatehouse_`. */
export function makeMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const common = <L extends string>(name: string, help: string, labels: readonly L[] | undefined) => {
    if (!/^gatehouse_[a-z_]+$/.test(name))
      throw new TypeError(`a metric's name is gatehouse_ and lower case, not ${name}`);
    return { name, help, labelNames: labels ?? [], registers: [registry] };
  };
  return {
    counter: (name, help, labels) => new Counter(common(name, help, labels)),
    gauge: (name, help, labels) => new Gauge(common(name, help, labels)),
    histogram: (name, help, labels, buckets = SECONDS) =>
      new Histogram({ ...common(name, help, labels), buckets: [...buckets] }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** What is known of the process that the spans come from. */
export type TraceOptions = {
  /** Base URL of an OTLP/HTTP collector, e.g. `http://collector:4318`; absent: nothing is traced or even loaded. */
  endpoint: string | undefined;
  version: string;
  /** Sent to the collector with every batch, e.g. its credential. */
  headers?: Record<string, string>;
};

/**
 * Starts sending spans to the operator's collector. The libraries behind it are loaded only then: they cost a third of a cold start.
 * They speak to the collector themselves and not through egress, because its address comes from the operator's configuration alone.
 */
export async function startTracing({ endpoint, version, headers }: TraceOptions): Promise<{ stop(): Promise<void> }> {
  if (endpoint === undefined) return { stop: async () => undefined };
  const [{ NodeTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
    ]);
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    ...(headers ? { headers } : {}),
  });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'gatehouse', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  provider.register();
  return {
    async stop() {
      await provider.shutdown();
      trace.disable();
    },
  };
}

/** Runs `work` inside a span. Without tracing it costs a function call. Attributes are ids and fixed words, as in the audit log. */
export function span<T>(name: string, attributes: Attributes, work: (span: Span) => Promise<T>): Promise<T> {
  return trace.getTracer('gatehouse').startActiveSpan(name, { attributes }, async (s) => {
    try {
      return await work(s);
    } catch (e) {
      // The name only: messages may carry what a person wrote.
      s.setStatus({ code: SpanStatusCode.ERROR, message: e instanceof Error ? e.name : 'error' });
      throw e;
    } finally {
      s.end();
    }
  });
}
