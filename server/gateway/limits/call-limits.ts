/** What has a limit, in the order in which a refusal names it. `personHere`: a person at one connector. */
export const limited = ['person', 'personHere', 'connector', 'tool'] as const;
export type Limited = (typeof limited)[number];
/** How it is limited: calls under way at once, and calls begun in a minute. */
export const measures = ['atOnce', 'perMinute'] as const;
export type Measure = (typeof measures)[number];

/** Undefined: no limit. */
export type Limit = { atOnce: number | undefined; perMinute: number | undefined };

/** As an administrator sets them, for all or for one connector. Null: no limit; absent: what else holds. */
export const limitNames = [
  'personAtOnce',
  'personPerMinute',
  'connectorAtOnce',
  'connectorPerMinute',
  'toolAtOnce',
  'toolPerMinute',
] as const;
export type LimitName = (typeof limitNames)[number];
export type LimitsSet = { readonly [N in LimitName]?: number | null | undefined };

export type LimitsRow = LimitsSet & { about: string };

/**
 * Where nobody said anything. Of calls under way, and above what people at work with several agents make, so that nobody who does his work meets one;
 * how many may begin in a minute is an organization's to say. INVARIANT (no unbounded waiting): a person and a connector have one until an
 * administrator takes it away.
 */
export const DEFAULTS: LimitsSet = { personAtOnce: 256, connectorAtOnce: 1024 };

export const MAX_LIMIT = 1_000_000;

/** What holds at one connector. */
export type CallLimits = Readonly<Record<Limited, Limit>>;

/** The first that says something; null says that there is none. */
const first = (name: LimitName, ...sets: readonly LimitsSet[]): number | undefined =>
  sets.find((s) => s[name] !== undefined)?.[name] ?? undefined;

/** What is said for a connector stands in place of what is said for all; only a person's limit there comes on top of the one everywhere. */
export function limitsAt(all: LimitsSet, here: LimitsSet = {}): CallLimits {
  const of = (what: 'person' | 'connector' | 'tool', ...sets: readonly LimitsSet[]): Limit => ({
    atOnce: first(`${what}AtOnce`, ...sets),
    perMinute: first(`${what}PerMinute`, ...sets),
  });
  return {
    person: of('person', all, DEFAULTS),
    personHere: of('person', here),
    connector: of('connector', here, all, DEFAULTS),
    tool: of('tool', here, all, DEFAULTS),
  };
}

/** For each connector, by its id. */
export function limitsOf(rows: readonly LimitsRow[]): (connector: string) => CallLimits {
  const all = rows.find((r) => r.about === 'all') ?? {};
  const usual = limitsAt(all);
  const own = new Map(rows.flatMap((r) => (r.about === 'all' ? [] : [[r.about, limitsAt(all, r)] as const])));
  return (connector) => own.get(connector) ?? usual;
}
