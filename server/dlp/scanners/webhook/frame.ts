import { escapeSegment, unescapeSegment } from '#kernel/json-pointer.ts';
import { z } from 'zod';
import { type Inspected } from '../../engine.ts';
import type { Phase, Redaction } from '../../verdict.ts';
import { ScanFailure } from '../exchange.ts';
import { redactionsOf, toldText, type ToldText } from '../told-text.ts';

/** The published ceiling. What is larger is not cut: it is not sent, and the fail mode decides. */
export const MAX_FRAME_BYTES = 10_000_000;

/** What a phase is called in an extended frame. In a published one every phase is a `prompt`, because a server that is asked about a type it does not know allows. */
export const frameTypes: Record<Phase, string> = {
  prompt: 'prompt',
  arguments: 'tool_args',
  result: 'tool_result',
  output: 'output',
  file_in: 'file_upload',
  file_out: 'file_write',
};

type Block =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; tool_name: string; input: unknown }
  | { type: 'tool_result'; content: string; is_error: boolean; tool_name: string; tool_use_id: string }
  | {
      type: 'attachment';
      file_name: string | null;
      media_type: string | null;
      size_bytes: number | null;
      text: string;
    };
type Message = { role: 'user' | 'assistant'; content: Block[] };

export type Frame = {
  type: string;
  request_id: string;
  tenant_id: string;
  actor: { type: string; id: string | null; email_address: string | null };
  source: { application: string };
  messages: Message[];
  session_id: string | null;
  model: string | null;
  metadata: Record<string, string>;
  /** From here on ours; servers ignore what they do not know. */
  phase: Phase;
  mode: 'shadow' | 'enforce';
  invocation_id: string;
};

/** A frame and how a span that a server names in it leads back into the content. */
export type Told = {
  frame: Frame;
  /** Undefined: there is no such place. */
  redactions(span: { at: string; start: number; end: number }): Redaction[] | undefined;
};

/** The transcript of a run, in the form of the frame itself. Strict: what the frame has no word for must not be left out of it. */
const TranscriptBlock = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('tool_use'), id: z.string(), tool_name: z.string(), input: z.unknown() }),
  z.strictObject({
    type: z.literal('tool_result'),
    content: z.string(),
    is_error: z.boolean(),
    tool_name: z.string(),
    tool_use_id: z.string(),
  }),
]);
const TranscriptMessage = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.union([z.string(), z.array(TranscriptBlock)]),
});
const Transcript = z.strictObject({ messages: z.array(TranscriptMessage).min(1) });

/** A file as the frame knows one; strict for the same reason. */
const File = z.strictObject({
  file_name: z.string(),
  media_type: z.string().nullable().default(null),
  size_bytes: z.number().nullable().default(null),
  text: z.string(),
});

export type FrameFacts = {
  request: string;
  invocation: string;
  mode: 'shadow' | 'enforce';
  extended: boolean;
  application: string;
};

/** The frame of one inspection. */
export function frameOf(c: Inspected, f: FrameFacts): Told {
  const { messages, redactions } = messagesOf(c);
  const frame: Frame = {
    type: f.extended ? frameTypes[c.phase] : 'prompt',
    request_id: f.request,
    tenant_id: c.org,
    // The published union has users only; an agent acts for one, and its id is that user's.
    actor: {
      type: c.actor.type === 'agent' ? 'user' : c.actor.type,
      id: c.actor.id,
      email_address: c.actor.email ?? null,
    },
    source: { application: f.application },
    messages,
    session_id: c.session ?? null,
    model: null,
    metadata: {},
    phase: c.phase,
    mode: f.mode,
    invocation_id: f.invocation,
  };
  return { frame, redactions };
}

/** The bytes that are signed and sent. */
export function bytesOf(frame: Frame): Buffer {
  const bytes = Buffer.from(JSON.stringify(frame));
  if (bytes.length > MAX_FRAME_BYTES)
    throw new ScanFailure(
      'refused',
      `the content makes a frame of more than ${MAX_FRAME_BYTES} bytes, which is not cut and so not sent`,
      false,
    );
  return bytes;
}

type Read = Pick<Told, 'redactions'> & { messages: Message[] };

function messagesOf(c: Inspected): Read {
  const tool = c.tool ?? 'unknown';
  switch (c.phase) {
    case 'arguments': {
      const at = '/messages/0/content/0/input';
      const block: Block = { type: 'tool_use', id: c.call, tool_name: tool, input: c.content ?? null };
      return {
        messages: [{ role: 'assistant', content: [block] }],
        redactions: (s) => (s.at.startsWith(at) ? inside(c.content, s.at.slice(at.length), s) : undefined),
      };
    }
    case 'result': {
      const told = toldText(c.content);
      const failed =
        typeof c.content === 'object' && c.content !== null && 'isError' in c.content && c.content.isError === true;
      const block: Block = {
        type: 'tool_result',
        content: told.text,
        is_error: failed,
        tool_name: tool,
        tool_use_id: c.call,
      };
      return one({ role: 'user', content: [block] }, 'content', told);
    }
    case 'file_in':
    case 'file_out': {
      const role = c.phase === 'file_in' ? 'user' : 'assistant';
      const file = File.safeParse(c.content);
      if (file.success) {
        const { text } = file.data;
        const told = { text, stretches: [{ from: 0, to: text.length, at: '/text', key: false }] };
        return one({ role, content: [{ type: 'attachment', ...file.data }] }, 'text', told);
      }
      const told = toldText(c.content);
      return one(
        {
          role,
          content: [{ type: 'attachment', file_name: null, media_type: null, size_bytes: null, text: told.text }],
        },
        'text',
        told,
      );
    }
    case 'prompt':
    case 'output': {
      const transcript = Transcript.safeParse(c.content);
      if (transcript.success) return transcribed(transcript.data.messages, c.content);
      const told = toldText(c.content);
      return one(
        { role: c.phase === 'prompt' ? 'user' : 'assistant', content: [{ type: 'text', text: told.text }] },
        'text',
        told,
      );
    }
  }
}

const one = (message: Message, field: 'content' | 'text', told: ToldText): Read => ({
  messages: [message],
  redactions: (s) => (s.at === `/messages/0/content/0/${field}` ? redactionsOf(told, s, says) : undefined),
});

/** Completes "redacted: ". */
const says = 'found by a scanner';

function transcribed(messages: z.infer<typeof Transcript>['messages'], content: unknown): Read {
  const plain = new Set<number>();
  const sent = messages.map((m, i): Message => {
    if (typeof m.content !== 'string') return { role: m.role, content: m.content.map((b) => ({ ...b })) };
    plain.add(i);
    return { role: m.role, content: [{ type: 'text', text: m.content }] };
  });
  return {
    messages: sent,
    redactions(s) {
      // A message that was a string in the content became one block of the frame.
      const made = /^\/messages\/(\d+)\/content\/0\/text$/.exec(s.at);
      const at = made && plain.has(Number(made[1])) ? `/messages/${made[1]}/content` : s.at;
      return inside(content, at, s);
    },
  };
}

/** The redaction of one string or number of the content, if it is there and as long as the span says. */
function inside(content: unknown, at: string, { start, end }: { start: number; end: number }): Redaction[] | undefined {
  let value = content;
  if (at !== '')
    for (const segment of at.slice(1).split('/')) {
      const key = unescapeSegment(segment);
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key) || escapeSegment(key) !== segment)
        return undefined;
      value = Reflect.get(value, key);
    }
  const length = typeof value === 'string' ? value.length : typeof value === 'number' ? String(value).length : -1;
  return end <= length ? [{ at, start, end, says }] : undefined;
}
