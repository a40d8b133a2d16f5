/** One event of a stream: its bytes as they came, with the blank line that ends it, and its data. */
export type StreamEvent = { raw: Buffer; data: string };

const LF = 0x0a;
const CR = 0x0d;

/**
 * Cuts a stream of events (HTML Standard §9.2) into its events without changing a byte. An event longer than the cap throws RangeError.
 * Any of LF, CR LF and CR may end a line.
 */
export function eventCutter(maxBytes: number): { push(chunk: Buffer): StreamEvent[]; rest(): Buffer } {
  // Pieces of the event that has not ended; joined once, so that a flood of small pieces costs no more than its bytes.
  let pieces: Buffer[] = [];
  let size = 0;
  let lineEmpty = true;
  let afterCr: { lineEmpty: boolean } | undefined;

  return {
    push(chunk) {
      const events: StreamEvent[] = [];
      let start = 0;
      const end = (to: number): void => {
        pieces.push(chunk.subarray(start, to));
        const raw = pieces.length === 1 ? chunk.subarray(start, to) : Buffer.concat(pieces);
        events.push({ raw, data: dataOf(raw) });
        pieces = [];
        size = 0;
        start = to;
        lineEmpty = true;
      };
      for (let i = 0; i < chunk.length; i++) {
        const c = chunk[i];
        if (afterCr) {
          const was = afterCr;
          afterCr = undefined;
          if (was.lineEmpty) end(c === LF ? i + 1 : i);
          if (c === LF) continue;
        }
        if (c === CR) {
          afterCr = { lineEmpty };
          lineEmpty = true;
        } else if (c === LF) {
          if (lineEmpty) end(i + 1);
          lineEmpty = true;
        } else lineEmpty = false;
      }
      if (start < chunk.length) {
        pieces.push(chunk.subarray(start));
        size += chunk.length - start;
      }
      if (size > maxBytes) throw new RangeError('an event is larger than the cap');
      return events;
    },
    rest: () => Buffer.concat(pieces),
  };
}

function dataOf(raw: Buffer): string {
  const lines: string[] = [];
  for (const line of raw.toString('utf8').split(/\r\n|\n|\r/)) {
    if (line === 'data') lines.push('');
    else if (line.startsWith('data:')) lines.push(line.startsWith('data: ') ? line.slice(6) : line.slice(5));
  }
  return lines.join('\n');
}

/** What kind of event it is: `message` where it does not say (HTML Standard §9.2.6). */
export function nameOf(e: StreamEvent): string {
  const line = e.raw
    .toString('utf8')
    .split(/\r\n|\n|\r/)
    .findLast((l) => l.startsWith('event:'));
  const name = line?.slice(line.startsWith('event: ') ? 7 : 6) ?? '';
  return name === '' ? 'message' : name;
}

/** A message as an event. JSON has no raw line breaks, so it is one line of data. */
export const asEvent = (message: string): string => `event: message\ndata: ${message}\n\n`;

/** An event with a name and, where a client may come back to it, an id. */
export const namedEvent = (e: { name: string; id?: string; data: unknown }): string =>
  `event: ${e.name}\n${e.id === undefined ? '' : `id: ${e.id}\n`}data: ${JSON.stringify(e.data)}\n\n`;

/** An event with other data. Everything else of it stays: an id is what the client resumes from. */
export function eventWith(raw: Buffer, text: string): Buffer {
  const head = raw
    .toString('utf8')
    .split(/\r\n|\n|\r/)
    .filter((l) => l !== '' && !/^data(:|$)/.test(l));
  return Buffer.from(`${[...head, ...text.split(/\r\n|\n|\r/).map((l) => `data: ${l}`)].join('\n')}\n\n`);
}
