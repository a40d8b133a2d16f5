// A thread that reads files from outside. It has no database, no network and no secret, little memory, and is killed when it takes too long.
import { parentPort } from 'node:worker_threads';
import { ContentRefused, type Content, type ContentPart, type ContentText, type Unreadable } from './content.ts';
import { readContent } from './read-content.ts';

export type Asked = { content: Content; part: ContentPart };
export type Answered = { text: ContentText } | { unreadable: Unreadable } | { broke: string };

async function answer({ content, part }: Asked): Promise<Answered> {
  try {
    return { text: await readContent(content, part) };
  } catch (e) {
    if (e instanceof ContentRefused) return { unreadable: e.unreadable };
    return { broke: e instanceof Error ? (e.stack ?? e.message) : 'unknown' };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.on('message', (asked: Asked) => void answer(asked).then((a) => parentPort?.postMessage(a)));
