import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadlineIn, ScanFailure } from '../exchange.ts';
import type { Asking, Remembering } from '../said.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, type ContentToProcess } from './content.ts';
import { AskedToWait, graph } from './graph.ts';
import type { PurviewMemory } from './memory.ts';

/** What waits to be told afterwards; above it the oldest is dropped, which is counted as a failure. */
const MAX_WAITING_BYTES = 32_000_000;
/** What comes within this goes in one batch. */
const GATHER_MS = 50;
const SEND_TIMEOUT_MS = 30_000;
/** For the batch around its requests. */
const WRAPPING_BYTES = 1_000;

/** Tells Purview of content that it wants to know of and not to decide on. Never waits, never fails the inspection. */
export function sendOffline(
  a: Asking<'purview'>,
  person: string,
  content: ContentToProcess,
  memory: Remembering,
): void {
  const { purview } = memory;
  for (const contentEntries of batches(content)) {
    const request = { requestId: randomUUID(), userId: person, contentToProcess: { ...content, contentEntries } };
    purview.waiting.push({ user: person, request, bytes: sizeOf(request), entries: contentEntries.length });
  }
  let waiting = purview.waiting.reduce((n, w) => n + w.bytes, 0);
  while (waiting > MAX_WAITING_BYTES) {
    waiting -= purview.waiting.shift()?.bytes ?? 0;
    memory.later(
      Promise.reject(new ScanFailure('refused', 'content to be told afterwards was dropped: too much waits', false)),
      'telling',
    );
  }
  if (purview.sending) return;
  purview.sending = true;
  memory.later(
    emptied(a, memory).finally(() => {
      purview.sending = false;
    }),
    'telling',
  );
}

async function emptied(a: Asking<'purview'>, { purview, later }: Remembering): Promise<void> {
  await sleep(GATHER_MS);
  const nobody = new AbortController().signal;
  while (purview.waiting.length > 0) {
    const paused = purview.pausedUntil - performance.now();
    // Timers drop fractions of a millisecond and would wake a little before the time.
    if (paused > 0) await sleep(Math.ceil(paused), undefined, { ref: false });
    const batch = nextBatch(purview);
    try {
      const answer = await graph(
        a,
        '/security/dataSecurityAndGovernance/processContentAsync',
        { processContentRequests: batch.map((w) => w.request) },
        deadlineIn(SEND_TIMEOUT_MS, nobody),
        purview,
      );
      if (answer.status !== 200 && answer.status !== 202)
        throw new ScanFailure('refused', `what was told afterwards was not taken (${answer.status})`);
      // It says so for each request; whoever is named there is asked for anew.
      if (answer.body.includes('"modified"')) for (const w of batch) purview.forgetScopes(w.user);
    } catch (e) {
      // Asked to wait: the batch is told later. Anything else is lost, and counted.
      if (e instanceof AskedToWait) purview.waiting.unshift(...batch);
      else later(Promise.reject(e), 'telling');
    }
  }
}

function nextBatch(purview: PurviewMemory): PurviewMemory['waiting'] {
  const batch: PurviewMemory['waiting'] = [];
  let bytes = WRAPPING_BYTES;
  let entries = 0;
  for (let next = purview.waiting[0]; next; next = purview.waiting[0]) {
    bytes += next.bytes + 1;
    entries += next.entries;
    if (batch.length > 0 && (bytes > MAX_BATCH_BYTES || entries > MAX_BATCH_ENTRIES)) break;
    batch.push(next);
    purview.waiting.shift();
  }
  return batch;
}

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** The entries of one content in groups that each fit into a batch. */
function batches(content: ContentToProcess): (readonly unknown[])[] {
  const groups: unknown[][] = [];
  const frame = sizeOf({ ...content, contentEntries: [] }) + 2 * WRAPPING_BYTES;
  let bytes = Infinity;
  for (const entry of content.contentEntries) {
    const size = sizeOf(entry) + 1;
    if (bytes + size > MAX_BATCH_BYTES || (groups.at(-1)?.length ?? 0) >= MAX_BATCH_ENTRIES) {
      groups.push([]);
      bytes = frame;
    }
    groups.at(-1)?.push(entry);
    bytes += size;
  }
  return groups;
}
