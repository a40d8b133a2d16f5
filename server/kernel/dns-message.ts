import packet from 'dns-packet';
import { z } from 'zod';

export type Question = { name: string; type: 'A' | 'AAAA' | 'NS' | 'TXT' };

/** A record of a kind that we read. Names are in lower case, without the last dot. A TXT record is its strings, joined (RFC 7208 §3.3). */
export type DnsRecord = {
  name: string;
  ttl: number;
  type: 'A' | 'AAAA' | 'NS' | 'CNAME' | 'TXT' | 'SOA';
  data: string;
};

/** What a server said, as far as we believe that it said it: not that it is true. */
export type DnsReply = {
  id: number;
  rcode: string;
  authoritative: boolean;
  truncated: boolean;
  via: 'udp' | 'tcp';
  questions: readonly Question[];
  /** The names of the question section as they were spelt. */
  spelled: readonly string[];
  answers: readonly DnsRecord[];
  authorities: readonly DnsRecord[];
  additionals: readonly DnsRecord[];
  /** Extended errors (RFC 8914). */
  extended: readonly number[];
};

/** Records of one section that we look at. A zone that has more at one name is not kept by people. */
const MAX_RECORDS = 200;
/** RFC 1035 lets one string have 255 bytes and a record 64 KiB; ours has about 100 characters. */
const MAX_TXT_CHARS = 4096;

const Txt = z.union([z.instanceof(Buffer), z.string(), z.array(z.union([z.instanceof(Buffer), z.string()]))]);
const RecordIn = z.object({ name: z.string(), type: z.string(), ttl: z.number().optional(), data: z.unknown() });

const bare = (name: string): string => name.replace(/\.$/, '').toLowerCase();

function recordOf(value: unknown): DnsRecord | undefined {
  const parsed = RecordIn.safeParse(value);
  if (!parsed.success) return undefined;
  const { type, data } = parsed.data;
  const base = { name: bare(parsed.data.name), ttl: Math.min(parsed.data.ttl ?? 0, 0x7fffffff) };
  switch (type) {
    case 'A':
    case 'AAAA':
      return typeof data === 'string' ? { ...base, type, data } : undefined;
    case 'NS':
    case 'CNAME':
      return typeof data === 'string' ? { ...base, type, data: bare(data) } : undefined;
    case 'TXT': {
      const strings = Txt.safeParse(data);
      if (!strings.success) return undefined;
      const list = Array.isArray(strings.data) ? strings.data : [strings.data];
      // Joined as bytes: a character may lie across two strings.
      const text = Buffer.concat(list.map((s) => (typeof s === 'string' ? Buffer.from(s) : s))).toString('utf8');
      return { ...base, type, data: text.slice(0, MAX_TXT_CHARS) };
    }
    case 'SOA': {
      // For how long "there is none" may be remembered (RFC 2308 §5).
      const minimum = z.object({ minimum: z.number() }).safeParse(data);
      return { ...base, type, data: String(Math.min(base.ttl, minimum.success ? minimum.data.minimum : base.ttl)) };
    }
    default:
      return undefined;
  }
}

const section = (records: readonly unknown[] | undefined): DnsRecord[] =>
  (records ?? []).slice(0, MAX_RECORDS).flatMap((r) => recordOf(r) ?? []);

const OPT = z.object({
  type: z.literal('OPT'),
  options: z.array(z.object({ code: z.number(), data: z.instanceof(Buffer) })),
});
const EDE = 15;

/** Reads a message that came from outside; undefined when it is none. */
export function readMessage(bytes: Buffer): (Omit<DnsReply, 'via'> & { via?: never }) | undefined {
  try {
    const m = packet.decode(bytes);
    if (m.type !== 'response') return undefined;
    const flags = m.flags ?? 0;
    const opt = (m.additionals ?? []).map((a) => OPT.safeParse(a)).find((a) => a.success)?.data;
    return {
      id: m.id ?? -1,
      rcode: 'rcode' in m && typeof m.rcode === 'string' ? m.rcode : 'UNKNOWN',
      authoritative: (flags & packet.AUTHORITATIVE_ANSWER) !== 0,
      truncated: (flags & packet.TRUNCATED_RESPONSE) !== 0,
      questions: (m.questions ?? []).map((q) => ({ name: bare(q.name), type: q.type as Question['type'] })),
      spelled: (m.questions ?? []).map((q) => q.name),
      answers: section(m.answers),
      authorities: section(m.authorities),
      additionals: section(m.additionals),
      extended: (opt?.options ?? []).flatMap((o) =>
        o.code === EDE && o.data.length >= 2 ? [o.data.readUInt16BE(0)] : [],
      ),
    };
  } catch {
    return undefined;
  }
}

/** Whether a reply is to this question. Servers that fail may leave the question out; we take no such answer. */
export const sameQuestion = (reply: Pick<DnsReply, 'questions'>, q: Question): boolean =>
  reply.questions.length === 1 &&
  reply.questions[0]?.type === q.type &&
  reply.questions[0].name === q.name.toLowerCase();
