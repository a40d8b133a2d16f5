import { randomBytes } from 'node:crypto';
import { MiB } from '#kernel/limits.ts';
import type { VendorClient } from '../../kit/vendor-client.ts';
import { VendorRefusal } from '../../kit/vendor-refusal.ts';
import { DriveFile, everywhere, FILE_FIELDS, parsed } from './drive-api.ts';

export type Upload = {
  /** Absent: a new file. */
  id?: string;
  metadata: Readonly<Record<string, unknown>>;
  mimeType: string;
  bytes: Buffer;
};

/** Google's advice is one request up to 5 MB and a session of its own above (https://developers.google.com/workspace/drive/api/guides/manage-uploads). */
const MULTIPART_BYTES = 5 * MiB;
/** A multiple of 256 KiB, as the pieces of a session must be. */
const PIECE_BYTES = 8 * MiB;

export async function upload(vendor: VendorClient, u: Upload, multipartBytes = MULTIPART_BYTES): Promise<DriveFile> {
  const method = u.id === undefined ? 'POST' : 'PATCH';
  const path = u.id === undefined ? '/upload/drive/v3/files' : `/upload/drive/v3/files/${u.id}`;
  const query = { ...everywhere, fields: FILE_FIELDS };
  if (u.bytes.length > multipartBytes) return uploadInPieces(vendor, u, { method, path, query });
  const boundary = `gatehouse-${randomBytes(16).toString('hex')}`;
  const answer = await vendor.send({
    method,
    path,
    query: { ...query, uploadType: 'multipart' },
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: Buffer.concat([
      Buffer.from(
        `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(u.metadata)}\r\n--${boundary}\r\ncontent-type: ${u.mimeType}\r\n\r\n`,
      ),
      u.bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  });
  return parsed(DriveFile, answer.json());
}

type Begin = { method: 'POST' | 'PATCH'; path: string; query: Record<string, string | boolean> };

async function uploadInPieces(vendor: VendorClient, u: Upload, begin: Begin): Promise<DriveFile> {
  const session = await vendor.send({
    ...begin,
    query: { ...begin.query, uploadType: 'resumable' },
    headers: { 'x-upload-content-type': u.mimeType, 'x-upload-content-length': String(u.bytes.length) },
    json: u.metadata,
  });
  const at = session.headers.get('location');
  if (at === null) throw new VendorRefusal(session.status, 'no_session', 'Google Drive did not begin the upload');
  for (let from = 0; ;) {
    const to = Math.min(u.bytes.length, from + PIECE_BYTES);
    const answer = await vendor.send({
      method: 'PUT',
      // The client follows it only to Google's own API.
      path: at,
      headers: { 'content-type': u.mimeType, 'content-range': `bytes ${from}-${to - 1}/${u.bytes.length}` },
      body: u.bytes.subarray(from, to),
      takes: [308],
      // The range says what it is, so the same piece twice is one piece.
      safe: true,
    });
    if (answer.status !== 308) return parsed(DriveFile, answer.json());
    const got = /^bytes=0-(\d+)$/.exec(answer.headers.get('range') ?? '')?.[1];
    const next = got === undefined ? 0 : Number(got) + 1;
    if (next <= from) throw new VendorRefusal(308, 'no_progress', 'Google Drive takes no more of the upload');
    from = next;
  }
}
