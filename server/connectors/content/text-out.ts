/** Text that grows until enough of it is there. Keeps the wanted part only, so that a long file costs no more than what is asked of it. */
export class TextOut {
  readonly #from: number;
  readonly #to: number;
  readonly #parts: string[] = [];
  #at = 0;

  constructor(from: number, max: number) {
    this.#from = from;
    this.#to = from + max;
  }

  /** Whether more text can change the answer. One character beyond the end tells that there is more. */
  get full(): boolean {
    return this.#at > this.#to;
  }

  add(text: string): void {
    const start = Math.max(0, this.#from - this.#at);
    const end = Math.min(text.length, this.#to - this.#at);
    if (start < end) this.#parts.push(text.slice(start, end));
    this.#at += text.length;
  }

  /** The wanted part; never half of a surrogate pair at its end. */
  done(): { text: string; truncated: boolean; next?: number } {
    let text = this.#parts.join('');
    if (!this.full) return { text: text.toWellFormed(), truncated: false };
    if (text.length > 1 && /[\ud800-\udbff]$/.test(text)) text = text.slice(0, -1);
    return { text: text.toWellFormed(), truncated: true, next: this.#from + text.length };
  }
}
