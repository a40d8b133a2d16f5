import { newId } from '#kernel/id.ts';
import type { Inspected } from '../../engine.ts';
import { signingKey } from '../credentials.ts';
import { ask, jsonOf, type Deadline } from '../exchange.ts';
import type { Asking, Said } from '../said.ts';
import { bytesOf, frameOf } from './frame.ts';
import { readVerdict } from './read-verdict.ts';
import { signatureHeaders } from './sign.ts';

/** Asks a server that speaks the published inference-hook frame. */
export async function askWebhook(a: Asking<'webhook'>, c: Inspected, until: Deadline): Promise<Said> {
  const request = newId('dsr', a.now.getTime());
  const { frame, redactions } = frameOf(c, {
    request,
    invocation: a.invocation,
    mode: a.scanner.mode,
    extended: a.config.frames === 'extended',
    application: a.test ? 'config-test' : 'gatehouse',
  });
  const body = bytesOf(frame);
  const keys = [a.credentials.current, a.credentials.previous].flatMap((s) =>
    s === undefined ? [] : (signingKey(s.signingSecret) ?? []),
  );
  const answer = await ask(
    a.egress,
    {
      url: a.config.url,
      headers: {
        ...a.credentials.current.headers,
        'content-type': 'application/json',
        'user-agent': 'gatehouse-dlp/1',
        ...signatureHeaders(request, a.now, body, keys),
      },
      body,
      rules: a.rules,
    },
    until,
  );
  const verdict = readVerdict(jsonOf(answer, [200]), a.config.frames);
  const common = { reason: verdict.reason, reference: verdict.reference };
  if (verdict.action !== 'redact') return { action: verdict.action, ...common };
  const spans = verdict.spans.map(redactions);
  // One stretch that nobody finds may be the one that matters: then nothing passes.
  return spans.some((s) => s === undefined)
    ? { action: 'block', ...common }
    : { action: 'redact', spans: spans.flatMap((s) => s ?? []), ...common };
}
