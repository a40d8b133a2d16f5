// An AI security server in the published inference-hook form: verifies the Standard Webhooks signature over the raw bytes, refuses what is
// older or newer than five minutes, and denies text with the word it is given (a payment card's number without it).
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type Listening } from './listening-server.ts';
import { serveStandIn, standInArgs } from './stand-in-process.ts';

const TOLERANCE_SECONDS = 300;

export type WebhookOptions = {
  /** Accepted secrets; none: it takes unsigned requests, as before the first save. */
  secrets?: readonly string[];
  /** Answers instead of the word test. */
  verdict?: (frame: Record<string, unknown>) => unknown;
  deny?: RegExp;
  now?: () => Date;
};
export type Delivery = {
  headers: IncomingMessage['headers'];
  body: Buffer;
  frame: Record<string, unknown>;
  refused?: string;
};

/** Whether one of the signatures is of one of the secrets, over exactly these bytes. */
export function verified(
  secrets: readonly string[],
  headers: IncomingMessage['headers'],
  body: Buffer,
  now: Date,
): boolean {
  const [id, at, given] = [headers['webhook-id'], headers['webhook-timestamp'], headers['webhook-signature']];
  if (typeof id !== 'string' || typeof at !== 'string' || typeof given !== 'string' || !/^\d+$/.test(at)) return false;
  if (Math.abs(now.getTime() / 1000 - Number(at)) > TOLERANCE_SECONDS) return false;
  return secrets.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const mac = createHmac('sha256', key).update(`${id}.${at}.`).update(body).digest('base64');
    const expected = Buffer.from(`v1,${mac}`);
    return given
      .split(' ')
      .some((g) => Buffer.byteLength(g) === expected.length && timingSafeEqual(Buffer.from(g), expected));
  });
}

/** The server's one operation; what it received goes into `received`. */
export function webhookHandler(o: WebhookOptions, received: Delivery[] = []) {
  return (req: IncomingMessage, res: ServerResponse): void => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      const frame = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
      const delivery: Delivery = { headers: req.headers, body, frame };
      received.push(delivery);
      const refuse = (why: string): void => {
        delivery.refused = why;
        res.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error: why }));
      };
      if (o.secrets && !verified(o.secrets, req.headers, body, o.now?.() ?? new Date())) return refuse('signature');
      if (frame['request_id'] !== req.headers['webhook-id']) return refuse('request_id is not webhook-id');
      const missing = ['type', 'actor', 'source', 'messages', 'metadata'].find((k) => !(k in frame));
      if (missing) return refuse(`the frame has no ${missing}`);
      const denied = (o.deny ?? /\b4111 ?1111 ?1111 ?1111\b/).test(JSON.stringify(frame['messages']));
      const verdict =
        o.verdict?.(frame) ??
        (denied
          ? { action: 'deny', deny_reason: 'Take out the payment card number.', reference_id: 'scan_01' }
          : { action: 'allow' });
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(verdict));
    });
  };
}

/** Starts it in this process. */
export async function startDlpWebhook(o: WebhookOptions = {}): Promise<Listening & { received: Delivery[] }> {
  const received: Delivery[] = [];
  return { ...(await listen(webhookHandler(o, received))), received };
}

if (import.meta.main) {
  const { port, secret } = standInArgs(['secret']);
  await serveStandIn(port, () => webhookHandler(secret === undefined ? {} : { secrets: [secret] }));
}
