import {
  decode,
  encode,
  MAX_CHUNK,
  MAX_STREAMS,
  Refused,
  WINDOW,
  type AnswerHead,
  type Frame,
  type Reason,
  type RequestHead,
} from './frame.ts';

/** What carries whole frames: a WebSocket, or a socket between two nodes. */
export type Port = {
  send(bytes: Uint8Array): void;
  /** Sends what was sent, and ends. */
  close(reason: Reason): void;
};

/** What one side of a stream is told. `data` is counted against the window until `took`. */
export type Ear = {
  head(head: AnswerHead): void;
  data(bytes: Uint8Array): void;
  /** The other side has said all. */
  end(): void;
  /** What was written has left; there is room again. */
  drain(): void;
  /** It is over without its end. */
  reset(reason: Reason): void;
};

/** One request and its answer. */
export interface Stream {
  /** The answer's head; only the side that answers has one. */
  head(head: AnswerHead): void;
  /** False: it waits here for credit; write no more before `drain`. */
  write(bytes: Uint8Array): boolean;
  /** All that was written is all. */
  end(): void;
  /** The reader has done with so many bytes: the other side may send as many. */
  took(bytes: number): void;
  /** Gives it up; nothing more comes of it. */
  reset(reason: Reason): void;
}

export type LineOptions = {
  port: Port;
  /** The side that asks opens streams and sends pings; the other answers. Neither may do the other's. */
  role: 'asks' | 'answers';
  /** Of the side that answers: a request came. Returns the ear of its body. */
  onOpen?(head: RequestHead, stream: Stream): Ear;
  /** The other side will take, or ask, nothing new and ends when all is done. */
  onLeaving?(reason: Reason): void;
  /** It is over: every stream was reset with the same reason. Once. */
  onEnd(reason: Reason): void;
  /** Something of this side broke over what came: for a log. It ends this line and nothing else. */
  onFault?(e: unknown): void;
};

type Half = 'head' | 'body' | 'over';

/**
 * Many requests over one connection. INVARIANT (bounded): of each direction of each stream at most WINDOW bytes are here or on the way, because
 * nobody sends without credit and credit comes only when the reader took something. INVARIANT (own streams only): a frame speaks of a
 * stream of its own line, so nothing that one agent sends can reach a request that another one answers. What may not come ends the line with
 * a reason, and nothing else.
 */
export class Line {
  readonly #o: LineOptions;
  readonly #streams = new Map<number, OneStream>();
  #last = 0;
  #ping: number | undefined;
  #marks = 0;
  #over = false;
  #leaving = false;

  constructor(o: LineOptions) {
    this.#o = o;
  }

  /** Streams that are under way. */
  get open(): number {
    return this.#streams.size;
  }

  /** Whether a request can be sent on it now. */
  get free(): boolean {
    return !this.#over && !this.#leaving && this.#streams.size < MAX_STREAMS;
  }

  /** A whole frame came. */
  receive(bytes: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#take(decode(bytes));
    } catch (e) {
      if (!(e instanceof Refused)) this.#o.onFault?.(e);
      this.end(e instanceof Refused ? e.reason : { code: 'fault', says: 'something broke while a frame was taken' });
    }
  }

  /** Asks. The ear hears of the answer; nothing of it before this returns. */
  request(head: RequestHead, ear: Ear): Stream {
    if (this.#o.role !== 'asks' || !this.free) throw new Refused('busy', 'no request can be sent on this line now');
    const id = this.#last + 1;
    // Before anything is counted: what cannot be said is not a stream.
    const open = encode({ type: 'open', stream: id, head });
    const stream = new OneStream(this, id, ear, { mine: 'body', theirs: 'head' });
    this.#last = id;
    this.#streams.set(id, stream);
    this.#o.port.send(open);
    return stream;
  }

  /** Asks whether the other side is there. False: it has not answered since the last time. */
  ping(): boolean {
    if (this.#over || this.#ping !== undefined) return false;
    this.#ping = this.#marks = (this.#marks + 1) % 2 ** 32;
    this.send({ type: 'ping', mark: this.#ping });
    return true;
  }

  /** Says that nothing new is to come; what is under way goes on. */
  leave(reason: Reason): void {
    if (this.#over || this.#leaving) return;
    this.#leaving = true;
    this.send({ type: 'bye', reason });
  }

  /** Ends it, and every stream with it. */
  end(reason: Reason): void {
    if (this.#over) return;
    if (!this.#leaving) this.send({ type: 'bye', reason });
    this.closed(reason);
    this.#o.port.close(reason);
  }

  /** The connection is gone. */
  closed(reason: Reason): void {
    if (this.#over) return;
    this.#over = true;
    const all = [...this.#streams.values()];
    this.#streams.clear();
    for (const s of all)
      try {
        s.lost(reason);
      } catch (e) {
        this.#o.onFault?.(e);
      }
    this.#o.onEnd(reason);
  }

  /** For its streams. */
  send(frame: Frame): void {
    if (!this.#over) this.#o.port.send(encode(frame));
  }
  /** For its streams. */
  forget(id: number): void {
    this.#streams.delete(id);
  }

  #take(f: Frame): void {
    switch (f.type) {
      case 'hello':
      case 'welcome':
        throw new Refused('order', `a ${f.type} comes once, at the beginning`);
      case 'bye':
        this.#leaving = true;
        this.#o.onLeaving?.(f.reason);
        return;
      case 'ping':
        if (this.#o.role === 'asks') throw new Refused('order', 'only the side that asks sends pings');
        this.send({ type: 'pong', mark: f.mark });
        return;
      case 'pong':
        if (f.mark !== this.#ping) throw new Refused('order', 'a pong without its ping');
        this.#ping = undefined;
        return;
      case 'open':
        this.#opened(f.stream, f.head);
        return;
      case 'head':
      case 'data':
      case 'end':
      case 'credit':
      case 'reset': {
        if (f.stream > this.#last) throw new Refused('order', `stream ${f.stream} was never opened`);
        // One that is over here may not yet be over there: what still comes of it is for nobody.
        this.#streams.get(f.stream)?.take(f);
      }
    }
  }

  #opened(id: number, head: RequestHead): void {
    if (this.#o.role === 'asks' || !this.#o.onOpen) throw new Refused('order', 'only the side that asks opens streams');
    if (id !== this.#last + 1) throw new Refused('order', `stream ${id} is not the next one`);
    if (this.#streams.size >= MAX_STREAMS) throw new Refused('order', `more than ${MAX_STREAMS} streams`);
    this.#last = id;
    const stream = new OneStream(this, id, deaf, { mine: 'head', theirs: 'body' });
    this.#streams.set(id, stream);
    stream.ear = this.#o.onOpen(head, stream);
  }
}

const deaf: Ear = { head() {}, data() {}, end() {}, drain() {}, reset() {} };

class OneStream implements Stream {
  readonly id: number;
  readonly #line: Line;
  ear: Ear;
  /** What we may still send, and what the other side may. */
  #credit = WINDOW;
  #budget = WINDOW;
  #taken = 0;
  #mine: Half;
  #theirs: Half;
  readonly #answers: boolean;
  readonly #waiting: Uint8Array[] = [];
  #ending = false;
  #over = false;

  constructor(line: Line, id: number, ear: Ear, halves: { mine: Half; theirs: Half }) {
    this.#line = line;
    this.id = id;
    this.ear = ear;
    this.#mine = halves.mine;
    this.#theirs = halves.theirs;
    this.#answers = halves.mine === 'head';
  }

  head(head: AnswerHead): void {
    if (this.#over || this.#mine !== 'head') return;
    this.#mine = 'body';
    this.#line.send({ type: 'head', stream: this.id, head });
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over || this.#mine !== 'body' || this.#ending) return true;
    for (let at = 0; at < bytes.length; at += MAX_CHUNK) this.#waiting.push(bytes.subarray(at, at + MAX_CHUNK));
    return this.#flush();
  }

  end(): void {
    if (this.#over || this.#ending) return;
    this.#ending = true;
    this.#flush();
  }

  took(bytes: number): void {
    if (this.#over || this.#theirs === 'over') return;
    this.#taken += bytes;
    if (this.#taken < WINDOW / 4) return;
    this.#budget += this.#taken;
    this.#line.send({ type: 'credit', stream: this.id, bytes: this.#taken });
    this.#taken = 0;
  }

  reset(reason: Reason): void {
    if (this.#over) return;
    this.#line.send({ type: 'reset', stream: this.id, reason });
    this.#finish();
  }

  /** The line ended. */
  lost(reason: Reason): void {
    if (this.#over) return;
    this.#over = true;
    this.ear.reset(reason);
  }

  take(f: Extract<Frame, { stream: number }>): void {
    switch (f.type) {
      case 'head':
        if (this.#theirs !== 'head') throw new Refused('order', `stream ${this.id} had its head`);
        this.#theirs = 'body';
        this.ear.head(f.head);
        return;
      case 'data':
        if (this.#theirs !== 'body') throw new Refused('order', `no body can come on stream ${this.id} now`);
        if (f.bytes.length > this.#budget) throw new Refused('credit', `stream ${this.id} sent more than it may`);
        this.#budget -= f.bytes.length;
        this.ear.data(f.bytes);
        return;
      case 'end':
        if (this.#theirs !== 'body') throw new Refused('order', `stream ${this.id} cannot end now`);
        this.#theirs = 'over';
        // An answer may end before all of the question was read: then nobody wants the rest.
        if (!this.#answers) this.#finish();
        this.ear.end();
        return;
      case 'credit':
        if (this.#credit + f.bytes > WINDOW) throw new Refused('credit', `stream ${this.id} gives more than it took`);
        this.#credit += f.bytes;
        if (this.#waiting.length > 0 && this.#flush()) this.ear.drain();
        return;
      case 'reset':
        this.#finish();
        this.ear.reset(f.reason);
        return;
      case 'open':
        return;
    }
  }

  /** Sends what credit allows. True: nothing waits. */
  #flush(): boolean {
    for (let next = this.#waiting[0]; next !== undefined && this.#credit > 0; next = this.#waiting[0]) {
      const now = next.length <= this.#credit ? next : next.subarray(0, this.#credit);
      if (now === next) this.#waiting.shift();
      else this.#waiting[0] = next.subarray(now.length);
      this.#credit -= now.length;
      this.#line.send({ type: 'data', stream: this.id, bytes: now });
    }
    if (this.#waiting.length > 0) return false;
    if (this.#ending && this.#mine === 'body') {
      this.#mine = 'over';
      this.#line.send({ type: 'end', stream: this.id });
      if (this.#answers) this.#finish();
    }
    return true;
  }

  #finish(): void {
    this.#over = true;
    this.#waiting.length = 0;
    this.#line.forget(this.id);
  }
}
