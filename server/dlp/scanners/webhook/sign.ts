import { createHmac } from 'node:crypto';

/**
 * The headers of the Standard Webhooks specification: one signature per key, so that a receiver who has either of two secrets accepts it
 * during a rotation. Signed are the bytes that are sent.
 */
export function signatureHeaders(id: string, at: Date, body: Buffer, keys: readonly Buffer[]): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
