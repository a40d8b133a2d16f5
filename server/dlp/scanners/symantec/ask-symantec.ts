import { z } from 'zod';
import { KiB } from '#kernel/limits.ts';
import type { Inspected } from '../../engine.ts';
import { worstOf, type DlpAction } from '../../verdict.ts';
import { ask, deadlineIn, jsonOf, ScanFailure, type Answered, type Deadline } from '../exchange.ts';
import type { Asking, Remembering, Said } from '../said.ts';
import { toldText } from '../told-text.ts';
import { vendorAction } from '../vendor-action.ts';

/** What we can do of what its response rules ask. What we cannot do (encrypt, remove a part) we stop. */
const known: Record<string, DlpAction> = {
  allow: 'allow',
  notify: 'alert',
  log: 'alert',
  custom: 'alert',
  customResponse: 'alert',
  block: 'block',
  quarantine: 'quarantine',
  redact: 'block',
  encrypt: 'block',
  drm: 'block',
  remove: 'block',
  delete: 'block',
};

const Parameter = z.object({ name: z.string(), value: z.array(z.string()).default([]) });
/** The name of an action is spelt differently in what is published; one of them must be there. */
const ResponseAction = z
  .object({
    action: z.string().optional(),
    actionType: z.string().optional(),
    name: z.string().optional(),
    parameter: z.array(Parameter).default([]),
  })
  .refine((r) => (r.action ?? r.actionType ?? r.name) !== undefined);
const Detected = z.object({
  requestId: z.string().min(1).max(200),
  violation: z.array(z.unknown()).nullable().default([]),
  responseAction: z.array(ResponseAction).nullable().default([]),
});

const ACK_TIMEOUT_MS = 10_000;
/** Results name policies and rules. */
const MAX_RESULT_BYTES = 512 * KiB;

/**
 * Asks a Symantec detection server (Detection REST API 2.0). The acknowledgement of what was really done always follows, because incidents there
 * would else show what was asked for. Written from public sources only: `betaReason` says so wherever the scanner is shown.
 */
export async function askSymantec(
  a: Asking<'symantec'>,
  c: Inspected,
  until: Deadline,
  memory: Remembering,
): Promise<Said> {
  const answer = await ask(
    a.egress,
    {
      url: at(a, '/v2.0/DetectionRequests'),
      headers: headersOf(a),
      body: JSON.stringify(requestOf(a, c)),
      rules: a.rules,
      maxBytes: MAX_RESULT_BYTES,
    },
    until,
  );
  const result = Detected.safeParse(jsonOf(answer, [200, 201]));
  if (!result.success) throw new ScanFailure('malformed', 'its detection result cannot be read');
  const { requestId, violation, responseAction } = result.data;
  const actions = responseAction ?? [];
  let said: DlpAction;
  try {
    const asked = actions.map((r) => vendorAction(r.action ?? r.actionType ?? r.name ?? '', a.config.actions, known));
    said = worstOf([(violation ?? []).length > 0 ? 'alert' : 'allow', ...asked]);
  } catch (e) {
    acknowledge(a, requestId, undefined, memory);
    throw e;
  }
  acknowledge(a, requestId, said, memory);
  return { action: said, reference: requestId.slice(0, 100) };
}

function requestOf(a: Asking<'symantec'>, c: Inspected): unknown {
  const outward = c.phase !== 'result' && c.phase !== 'output';
  const context: [string, string[]][] = [
    ['common.dataType', ['DIM']],
    ['common.application', [a.config.application]],
    ['common.transactionId', [a.invocation]],
    ['common.expectActionsAck', ['true']],
    ['network.direction', [outward ? 'upload' : 'download']],
    ['common.user.activityType', [outward ? 'upload' : 'download']],
    ...(a.config.filters.length > 0 ? [['common.filter', a.config.filters] as [string, string[]]] : []),
    ...(c.actor.email === undefined ? [] : [['common.user.id', [c.actor.email]] as [string, string[]]]),
  ];
  return {
    context: context.map(([name, value]) => ({ name, value })),
    body: {
      contentBlockId: 'body-1',
      mimeType: 'text/plain',
      data: Buffer.from(toldText(c.content).text, 'utf8').toString('base64'),
    },
  };
}

/** Never waits and never changes the verdict; that it did not arrive is counted. In shadow mode nothing was done, and it says so. */
function acknowledge(a: Asking<'symantec'>, requestId: string, said: DlpAction | undefined, memory: Remembering): void {
  const taken =
    a.scanner.mode === 'shadow'
      ? 'NONE'
      : said === undefined
        ? a.scanner.failMode === 'open'
          ? 'NONE'
          : 'BLOCK'
        : ackNames[said];
  const sent = ask(
    a.egress,
    {
      url: at(a, a.config.ackPath.replaceAll('{requestId}', encodeURIComponent(requestId))),
      headers: headersOf(a),
      body: JSON.stringify({ requestId, actionsTaken: [{ action: taken }] }),
      rules: a.rules,
    },
    deadlineIn(ACK_TIMEOUT_MS, new AbortController().signal),
  ).then((r: Answered) => {
    if (r.status < 200 || r.status > 299)
      throw new ScanFailure('refused', `it did not take the acknowledgement (${r.status}): check ackPath`, false);
  });
  memory.later(sent, 'the acknowledgement');
}

const ackNames: Record<DlpAction, string> = {
  allow: 'NONE',
  alert: 'NOTIFY',
  redact: 'REDACT',
  require_approval: 'BLOCK',
  quarantine: 'QUARANTINE',
  block: 'BLOCK',
};

const at = (a: Asking<'symantec'>, path: string): string => `${a.config.url.replace(/\/+$/, '')}${path}`;
const headersOf = (a: Asking<'symantec'>): Record<string, string> => ({
  ...a.credentials.current.headers,
  'content-type': 'application/json',
  accept: 'application/json',
});
