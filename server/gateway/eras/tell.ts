import type { UpstreamRequest, UpstreamSink } from '../upstream.ts';
import { askHttp } from './ask-http.ts';
import { olderHeaders } from './older-headers.ts';
import type { OlderSession } from './older-session.ts';

/** Says something in the session that nobody waits for; true: it was taken. */
export async function tell(r: UpstreamRequest, session: OlderSession, message: object): Promise<boolean> {
  try {
    const { status } = await askHttp({
      ...r,
      method: 'POST',
      headers: olderHeaders(r, session),
      body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message })),
      signal: AbortSignal.timeout(TELL_MS),
    });
    return status < 300;
  } catch {
    return false;
  }
}
const TELL_MS = 10_000;

/** A whole answer as JSON. */
export function json(sink: UpstreamSink, text: string): void {
  sink.head(200, { 'content-type': 'application/json' });
  sink.data(Buffer.from(text));
}
