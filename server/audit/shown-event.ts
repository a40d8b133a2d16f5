import { z } from 'zod';
import { entryHeader } from '@gatehouse/contract/leaf.ts';
import type { Declared } from './events.ts';
import type { StoredEvent } from './event.sql.ts';

/** Every declared type of every room; put together at the top of the server. */
export type Vocabulary = Readonly<Record<string, Declared>>;

/** An event as the API shows it. `says` completes "Ada …"; the name of the actor is the reader's to look up. */
export const ShownEvent = z.object({
  seq: z.number().int(),
  id: z.string(),
  at: z.string(),
  type: z.string(),
  says: z.string(),
  actor: z.looseObject({ kind: z.string(), id: z.string().optional() }),
  request: z.string(),
  connector: z.string().optional(),
  tool: z.string().optional(),
  call: z.string().optional(),
  resource: z.string().optional(),
  disposition: z.string().optional(),
  decisions: z.array(z.string()).optional(),
  data: z.record(z.string(), z.unknown()),
});
export type ShownEvent = z.infer<typeof ShownEvent>;

/**
 * The sentence of an event. Rows outlive the code that wrote them, and this is the page on which a tampered row is looked at, so data that
 * does not fit its declaration gives a plainer sentence and never an error.
 */
export function sentenceOf(vocabulary: Vocabulary, type: string, data: unknown): string {
  const declared = Object.hasOwn(vocabulary, type) ? vocabulary[type] : undefined;
  const parsed = declared?.data.safeParse(data);
  return declared && parsed?.success ? declared.says(parsed.data) : `left an event of the type ${type}`;
}

const Header = ShownEvent.omit({ seq: true, says: true, data: true }).partial();
const Data = z.record(z.string(), z.unknown());

/** The wire form of a row. Does not judge the row: that is what proofs are for. */
export function shownEvent(vocabulary: Vocabulary, row: StoredEvent): ShownEvent {
  const parsed = Header.safeParse(row.header);
  const header = parsed.success ? parsed.data : {};
  const data = Data.safeParse(row.data);
  const type = header.type ?? 'unknown';
  return {
    ...header,
    seq: row.seq,
    id: header.id ?? '',
    at: header.at ?? '',
    type,
    actor: header.actor ?? { kind: 'unknown' },
    request: header.request ?? '',
    says: sentenceOf(vocabulary, type, row.data),
    data: data.success ? data.data : {},
  };
}

/** The row as an export has it: what the leaf is over, and what opens the commitment. */
export const exportedEvent = (row: StoredEvent): { seq: number; header: object; data: unknown; salt: string } => ({
  seq: row.seq,
  header: entryHeader(row.header, row.seq, row.commitment),
  data: row.data,
  salt: row.salt.toString('hex'),
});
