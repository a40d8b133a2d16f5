// A thread that looks at text which would hold up the event loop. It has no database and no network; it keeps compiled scanners and no text.
import { parentPort } from 'node:worker_threads';
import { scanText, type Around, type Match } from './scan.ts';
import { makeScanner, type Scanner, type ScannerSpec } from './scanner.ts';

export type Asked = { text: string; around: Around; key: string; spec?: ScannerSpec };
export type Answered = { matches: Match[] } | { broke: string };

const scanners = new Map<string, Scanner>();
/** As many as scan-off-loop.ts believes that we have. */
const KEPT = 8;

function scannerFor({ key, spec }: Asked): Scanner {
  const scanner = spec ? makeScanner(spec) : scanners.get(key);
  if (!scanner) throw new Error('a scanner that this thread does not have');
  scanners.delete(key);
  scanners.set(key, scanner);
  for (const old of scanners.keys()) if (scanners.size > KEPT) scanners.delete(old);
  return scanner;
}

function answer(asked: Asked): Answered {
  try {
    return { matches: scanText(asked.text, scannerFor(asked), asked.around) };
  } catch (e) {
    return { broke: e instanceof Error ? (e.stack ?? e.message) : 'unknown' };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.on('message', (asked: Asked) => parentPort?.postMessage(answer(asked)));
