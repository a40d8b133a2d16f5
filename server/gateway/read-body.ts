import type { IncomingMessage } from 'node:http';
import { MAX_MCP_REQUEST_BYTES } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';

/** The whole message of a client, which may neither be too large nor take too long to send. */
export function readBody(req: IncomingMessage, ms: number): Promise<Buffer> {
  const tooLarge = (): Problem =>
    new Problem('too_large', 'gateway/too-large', {
      says: `the message is larger than ${MAX_MCP_REQUEST_BYTES} bytes`,
      fix: 'send less at once, or a link to it',
    });
  if (Number(req.headers['content-length'] ?? 0) > MAX_MCP_REQUEST_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => {
      stop();
      reject(
        new Problem('invalid', 'gateway/too-slow', {
          says: `the message was not complete after ${ms / 1000} seconds`,
          fix: 'send it faster',
        }),
      );
    }, ms);
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > MAX_MCP_REQUEST_BYTES) {
        stop();
        reject(tooLarge());
      } else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    };
    const onGone = (): void => {
      stop();
      reject(
        new Problem('invalid', 'gateway/cut-off', { says: 'the connection ended before the message was complete' }),
      );
    };
    const stop = (): void => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    };
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
