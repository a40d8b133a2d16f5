import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';
import { KiB } from '#kernel/limits.ts';
import type { Inspected } from '../../engine.ts';
import { worstOf, type DlpAction } from '../../verdict.ts';
import { ask, jsonOf, ScanFailure, type Deadline } from '../exchange.ts';
import type { Asking, Said } from '../said.ts';
import { toldText } from '../told-text.ts';
import { vendorAction } from '../vendor-action.ts';

/** What we can do of its action plans. What we cannot do (encrypt, drop a part) we stop. */
const known: Record<string, DlpAction> = {
  permit: 'allow',
  allow: 'allow',
  audit: 'alert',
  alert: 'alert',
  notify: 'alert',
  confirm: 'require_approval',
  quarantine: 'quarantine',
  block: 'block',
  encrypt: 'block',
  dropAttachments: 'block',
  removeSharing: 'block',
  unshare: 'block',
};

const Inspection = z.object({
  global_message_id: z.string(),
  resolution: z.enum(['MATCHED', 'UNMATCHED']),
  cpe_transaction_info: z.unknown(),
  /** The default rule, when nothing matched, is told as one that is null. */
  violations: z.array(z.unknown()).nullable().optional(),
  actions: z.array(z.object({ action_type: z.string() })),
  max_number_of_matches: z.number().int().nullable().optional(),
});

/** The published range. */
const [LEAST_MS, MOST_MS] = [20, 300_000];
const MAX_RESULT_BYTES = 512 * KiB;

/**
 * Asks a Forcepoint DLP protector (Inspection API). It wants the content as an upload that was caught on the wire: raw bytes would be taken and
 * never matched. Written from public sources only: `betaReason` says so wherever the scanner is shown.
 */
export async function askForcepoint(a: Asking<'forcepoint'>, c: Inspected, until: Deadline): Promise<Said> {
  const upload = caught(Buffer.from(toldText(c.content).text, 'utf8'));
  const message = a.invocation;
  const metadata = {
    context: {
      global_message_id: message,
      client_name: 'CUSTOM_APPLICATION',
      data_channel: a.config.channel,
      activity_type: activityOf(a.config.channel, c),
      occurred_message_timestamp_utc_ms: a.now.getTime(),
      inspection_request_timeout_ms: Math.min(Math.max(a.scanner.timeoutMs, LEAST_MS), MOST_MS),
    },
    // Its length with the wrapping.
    contentDescriptors: [{ id: '0', name: `${c.phase}.txt`, item_type: 'FILE', size_bytes: upload.length }],
    source: { host_name: hostname() },
    destinations: [
      {
        destination_type: 'WEB_APPLICATION',
        http_request_url: `https://${place(c)}.gatehouse.invalid/${encodeURIComponent(c.tool ?? c.phase)}`,
        http_request_url_hostname: `${place(c)}.gatehouse.invalid`,
        http_request_method: 'POST',
      },
    ],
  };
  const form = multipart([
    { name: 'metadata', type: 'application/json', file: 'metadata.json', body: Buffer.from(JSON.stringify(metadata)) },
    { name: '0', type: 'application/http', file: `${c.phase}.txt`, body: upload },
  ]);
  const { token } = a.credentials.current;
  const answer = await ask(
    a.egress,
    {
      url: `${a.config.url.replace(/\/+$/, '')}/inspection/v4.0`,
      headers: {
        'content-type': `multipart/form-data; boundary=${form.boundary}`,
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: form.body,
      rules: a.rules,
      maxBytes: MAX_RESULT_BYTES,
    },
    until,
  );
  const result = Inspection.safeParse(jsonOf(answer, [200]));
  if (!result.success) throw new ScanFailure('malformed', 'its inspection response cannot be read');
  const { global_message_id, violations, actions } = result.data;
  // Somebody else's answer would be somebody else's verdict.
  if (global_message_id !== message) throw new ScanFailure('malformed', 'its response is for another message');
  const matched = (violations ?? []).some((v) => v !== null);
  const asked = actions.map((x) => vendorAction(x.action_type, a.config.actions, known));
  if (matched && asked.length === 0) throw new ScanFailure('malformed', 'it found violations and says no action');
  return { action: worstOf([matched ? 'alert' : 'allow', ...asked]), reference: message };
}

/** Web channels know uploads only; the cloud channel has both ways. */
const activityOf = (channel: 'HTTP' | 'HTTPS' | 'CASB_REAL_TIME', c: Inspected): 'UPLOAD' | 'DOWNLOAD' =>
  channel === 'CASB_REAL_TIME' && (c.phase === 'result' || c.phase === 'output') ? 'DOWNLOAD' : 'UPLOAD';

/** A name that policies can be bound to: the connector, which has no host name of its own that we would give away. */
const place = (c: Inspected): string => (c.connector ?? c.phase).replaceAll('_', '-');

/** The content as the body of an upload, headers and all. */
function caught(content: Buffer): Buffer {
  const { boundary, body } = multipart([{ name: 'file', type: 'text/plain', file: 'content.txt', body: content }]);
  return Buffer.concat([
    Buffer.from(`Accept: application/json\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\n\r\n`),
    body,
  ]);
}

type Part = { name: string; type: string; file: string; body: Buffer };

function multipart(parts: readonly Part[]): { boundary: string; body: Buffer } {
  // Random, so that no content can end a part.
  const boundary = `gatehouse-${randomBytes(18).toString('hex')}`;
  const body = Buffer.concat([
    ...parts.flatMap((p) => [
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="${p.name}"; filename="${p.file}"\r\nContent-Type: ${p.type}\r\n\r\n`,
      ),
      p.body,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
  return { boundary, body };
}
