import { z } from 'zod';

/**
 * The vocabulary of the log. Each room declares its own types in `<room>/<room>.events.ts` with `declare`, and `all-events.ts` at the top of
 * the server puts them together. A declaration is the type, the schema, the reference, the portal's line and the OCSF class. Types are
 * past tense, are added and never changed, and carry ids and counts but no content.
 */
export type Disposition = 'returned' | 'held' | 'denied' | 'blocked' | 'failed' | 'lost';

/** Facts that go into the hashed header beside who and when, so they can be searched and can never be erased: ids and fixed words only. */
export type About = {
  call?: string | undefined;
  connector?: string | undefined;
  tool?: string | undefined;
  resource?: string | undefined;
  disposition?: Disposition | undefined;
  decisions?: readonly string[] | undefined;
};

export type Declared<D extends z.ZodObject = z.ZodObject> = {
  data: D;
  /** Completes "Ada …", as a reader of the log sees it. */
  says(d: z.infer<D>): string;
  /** OCSF 1.8 class uid: 3001 account change, 3002 authentication, 3003 authorize session, 3005 user access, 3006 group, 6003 API activity, 2006 data security finding, 5019 configuration change. */
  ocsf: 2006 | 3001 | 3002 | 3003 | 3005 | 3006 | 5019 | 6003;
  about?(d: z.infer<D>): About;
};

/** Keeps the types of each declaration; see any `*.events.ts`. */
export const declare = <D extends z.ZodObject>(d: Declared<D>): Declared<D> => d;

/** The event of one declaration table: `EventOf<typeof orgEvents>`. */
export type EventOf<V extends Record<string, Declared>> = {
  [K in keyof V & string]: { type: K; data: z.infer<V[K]['data']> };
}[keyof V & string];

/** What `change` writes. Rooms make it with `event(table, type, data)`, which checks the data against its declaration. */
export type AuditEvent = {
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly about: About;
  readonly [made]: true;
};
declare const made: unique symbol;

/** An event of a declared type. The data is parsed, so what the declaration does not name is not written. */
export function event<V extends Record<string, Declared>, K extends keyof V & string>(
  table: V,
  type: K,
  data: z.input<V[K]['data']>,
): AuditEvent {
  const declared = table[type];
  if (!declared) throw new TypeError(`no event ${type} is declared`);
  const parsed: Record<string, unknown> = declared.data.parse(data);
  const e: Omit<AuditEvent, typeof made> = { type, data: parsed, about: declared.about?.(parsed) ?? {} };
  return e as AuditEvent;
}

const text = z.string().max(300);
/** The audit room's own events. */
export const auditEvents = {
  'audit.read': declare({
    data: z.object({
      log: text,
      from: z.number().int().nullable(),
      to: z.number().int().nullable(),
      filter: text.nullable(),
    }),
    says: (d) => `read the log ${d.log}${d.filter ? ` (${d.filter})` : ''}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.log }),
  }),
  'audit.exported': declare({
    data: z.object({ log: text, size: z.number().int(), format: z.enum(['jsonl', 'csv']) }),
    says: (d) => `exported ${d.size} events of ${d.log} as ${d.format}`,
    ocsf: 6003,
    about: (d) => ({ resource: d.log }),
  }),
} as const;
