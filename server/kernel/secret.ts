import { inspect } from 'node:util';

/**
 * Opened bytes that must not end up in a log line, an error, a JSON answer or a debugger's print by accident.
 * INVARIANT (said aloud): the only way to the value is `reveal`, which is easy to find in a review.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string | Uint8Array) {
    this.#value = typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
  }

  /** The value itself, for the one line that sends it. */
  reveal(): string {
    return this.#value;
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }

  [Symbol.toPrimitive](): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
