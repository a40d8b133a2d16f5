import type { Duplex } from 'node:stream';
import { HEAD_BYTES, MAX_FRAME } from '@gatehouse/contract/tunnel/frame.ts';
import type { Line, Port } from '@gatehouse/contract/tunnel/line.ts';

/** Frames over a stream of bytes: four bytes of length before each. */
export const portOf = (socket: Duplex): Port => ({
  send(bytes) {
    if (socket.destroyed || socket.writableEnded) return;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length);
    socket.cork();
    socket.write(length);
    socket.write(bytes);
    socket.uncork();
  },
  close() {
    if (!socket.destroyed) socket.end();
    // Who does not read its end is not waited for.
    setTimeout(() => socket.destroy(), 1000).unref();
  },
});

/** Gives a line the frames that come, and tells it when no more can. */
export function listenTo(socket: Duplex, line: Line): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0);
      if (length < HEAD_BYTES || length > MAX_FRAME) {
        line.end({ code: 'frame', says: `a frame of ${length} bytes is none` });
        return;
      }
      if (rest.length < 4 + length) return;
      const frame = rest.subarray(4, 4 + length);
      rest = rest.subarray(4 + length);
      line.receive(frame);
    }
  });
  const gone = (): void => line.closed({ code: 'gone', says: 'the connection ended' });
  socket.on('error', gone).on('end', gone).on('close', gone);
}
