import type { Redaction } from '#dlp/verdict.ts';
import { parseJsonText } from '#kernel/json.ts';
import { argsOf } from './action-of.ts';
import { mirrorHeaders } from './check-headers.ts';
import { eventWith } from '#kernel/event-stream.ts';
import { inexactNumber } from '#kernel/json-number.ts';
import { member, whole } from '#kernel/json-span.ts';
import { isParams, type Message, type Params, type RpcId } from './message.ts';
import { NotRedacted, redactJson } from '#dlp/redact-json.ts';
import type { Relayed } from './relay.ts';
import type { CallMethod, ToolCall } from './tool-call.ts';

type Request = Message & { kind: 'request' };
type Answer = Relayed & { kind: 'message' };

/** Keys of `_meta` whose values have a form of their own, which says nothing: numbers of requests and traces, versions. */
const protocols =
  /^(progressToken|traceparent|tracestate|io\.modelcontextprotocol\/(protocolVersion|clientCapabilities|logLevel|related-task))$/;

/** The bytes of one call on their way out and back. What is taken out is taken out of the bytes, and what counts from then on is read from those. */
export class Carrier {
  readonly #request: Request;
  readonly #headers: Record<string, string | string[] | undefined>;
  /** What goes to the upstream; undefined: as it came. */
  body: Buffer | undefined;
  headers: Record<string, string | string[] | undefined>;
  answer: Answer | undefined;
  /** The parameters as they go on: what people are asked about. */
  params: Params;

  constructor(request: Request, headers: Record<string, string | string[] | undefined>, body: Buffer | undefined) {
    this.#request = request;
    this.#headers = headers;
    this.headers = headers;
    this.body = body;
    this.params = request.params;
  }

  /**
   * What goes along with the content that was parsed, and is not in it: what a client says beside the arguments and the protocol itself, and the
   * digits of numbers that lost some when they were parsed. Undefined where there is nothing of it.
   */
  beside(phase: 'arguments' | 'result'): unknown {
    const meta = phase === 'arguments' ? this.#request.params['_meta'] : undefined;
    const own = isParams(meta) ? Object.entries(meta).filter(([key]) => !protocols.test(key)) : [];
    const numbers = roundedIn(
      phase === 'arguments' ? (this.body?.toString('latin1') ?? '') : (this.answer?.text ?? ''),
    );
    if (own.length + numbers.length === 0) return undefined;
    return {
      ...(own.length > 0 ? { _meta: Object.fromEntries(own) } : {}),
      ...(numbers.length > 0 ? { numbers } : {}),
    };
  }

  /** A number in the message that is not what we read of it: nobody can be asked about that, and nothing that was said before counts for it. */
  get inexact(): string | undefined {
    return this.body && inexactNumber(this.body.toString('utf8'));
  }

  get id(): RpcId {
    return this.#request.id;
  }

  /** The call without what must not go out; undefined where that cannot be done, so that it does not go at all. */
  redactArguments(call: ToolCall, redactions: readonly Redaction[]): ToolCall | undefined {
    const { method, params } = this.#request;
    try {
      const text = (this.body ?? Buffer.alloc(0)).toString('utf8');
      const path = ownArguments(call.method, params) ? ['params', 'arguments'] : ['params'];
      const body = redactJson(text, path, redactions);
      const message = parseJsonText(body);
      const without = isParams(message) ? message['params'] : undefined;
      if (!isParams(without) || without['name'] !== params['name']) return undefined;
      this.body = Buffer.from(body);
      this.params = without;
      // A header may say an argument again, and would say what was taken out.
      this.headers = mirrorHeaders(method, without, this.#headers, call.known);
      return {
        ...call,
        args: argsOf(call.method, without),
        toolArgs: call.method === 'tools/call' ? (without['arguments'] ?? {}) : {},
      };
    } catch (e) {
      if (e instanceof NotRedacted) return undefined;
      throw e;
    }
  }

  /** The answer without what must not be given out, and how many bytes it has; undefined where that cannot be done. */
  redactResult(redactions: readonly Redaction[]): number | undefined {
    const { answer } = this;
    if (!answer) return undefined;
    try {
      const text = redactJson(answer.text, ['error' in answer.message ? 'error' : 'result'], redactions);
      const raw = answer.streamed ? eventWith(answer.raw, text) : Buffer.from(text);
      this.answer = { ...answer, text, raw };
      return raw.length;
    } catch (e) {
      if (e instanceof NotRedacted) return undefined;
      throw e;
    }
  }

  /** What the upstream said, without the number under which it was asked. */
  resultText(): string {
    const { answer } = this;
    if (!answer) return '';
    const at = 'error' in answer.message ? 'error' : 'result';
    const span = member(answer.text, whole(answer.text), at);
    return `{"${at}":${span ? answer.text.slice(span.from, span.to) : 'null'}}`;
  }

  /** Gives what `resultText` was, as the answer to this request. */
  giveResult(text: string): { bytes: number; error: boolean } {
    const full = `{"jsonrpc":"2.0","id":${JSON.stringify(this.id)},${text.slice(1)}`;
    const message = parseJsonText(full);
    if (!isParams(message)) throw new TypeError('what was kept is no answer');
    const raw = Buffer.from(full);
    this.answer = { kind: 'message', status: 200, headers: {}, raw, text: full, message, streamed: false };
    return { bytes: raw.length, error: 'error' in message };
  }
}

/** Whole numbers of a JSON text that are beyond 2^53: what was parsed of them is another number than what goes on. */
function roundedIn(text: string): string[] {
  if (!/[0-9]{16}/.test(text)) return [];
  const numbers = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').match(/(?<![0-9.eE+])[0-9]{16,40}(?![0-9.eE])/g) ?? [];
  return numbers.filter((n) => !Number.isSafeInteger(Number(n)));
}

/** Whether the tool's own arguments are all that a call takes with it. */
function ownArguments(method: CallMethod, params: Params): boolean {
  if (method !== 'tools/call') return false;
  const { _meta: _, name: __, requestState: ___, arguments: ____, ...others } = params;
  return Object.keys(others).length === 0;
}
