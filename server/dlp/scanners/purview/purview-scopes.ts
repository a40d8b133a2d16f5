import { z } from 'zod';
import type { Phase } from '../../verdict.ts';
import { jsonOf, ScanFailure, type Deadline } from '../exchange.ts';
import type { Asking } from '../said.ts';
import { graph } from './graph.ts';
import type { Execution, PurviewMemory, Scopes } from './memory.ts';

/** What Purview calls a phase: what leaves the person is an upload, what comes to the person a download. */
export const activityOf: Record<Phase, 'uploadText' | 'uploadFile' | 'downloadText' | 'downloadFile'> = {
  prompt: 'uploadText',
  arguments: 'uploadText',
  output: 'downloadText',
  result: 'downloadText',
  file_in: 'uploadFile',
  file_out: 'downloadFile',
};

const Computed = z.object({
  value: z.array(
    z.object({
      activities: z.string(),
      executionMode: z.enum(['evaluateInline', 'evaluateOffline']),
      locations: z.array(z.object({ value: z.string() })).default([]),
      policyActions: z.array(z.unknown()).default([]),
    }),
  ),
});

/** Scopes are asked for again after this even if nobody says that they changed: a person without any is never told of the first. */
const FRESH_MS = 5 * 60_000;

export const applicationOf = (a: Asking<'purview'>): string => a.config.application ?? a.config.clientId;

/** What applies to a person: remembered, asked for again when old, and read again only when its ETag is another. */
export async function purviewScopes(
  a: Asking<'purview'>,
  person: string,
  until: Deadline,
  memory: PurviewMemory,
): Promise<Scopes> {
  const known = memory.scopesOf(person);
  if (known && performance.now() - known.at < FRESH_MS) return known;
  const answer = await graph(
    a,
    `/users/${encodeURIComponent(person)}/dataSecurityAndGovernance/protectionScopes/compute`,
    {
      activities: 'uploadText,uploadFile,downloadText,downloadFile',
      locations: [{ '@odata.type': 'microsoft.graph.policyLocationApplication', value: applicationOf(a) }],
      integratedAppMetadata: { name: 'Gatehouse', version: '1' },
    },
    until,
    memory,
    known?.etag,
  );
  if (known && answer.status === 304) return keep(memory, person, { ...known, at: performance.now() });
  const body = jsonOf(answer, [200]);
  const etag = answer.headers.get('etag') ?? undefined;
  if (known?.etag !== undefined && etag === known.etag)
    return keep(memory, person, { ...known, at: performance.now() });
  const read = Computed.safeParse(body);
  if (!read.success) throw new ScanFailure('malformed', 'its protection scopes cannot be read');
  return keep(memory, person, {
    etag,
    at: performance.now(),
    entries: read.data.value.map((s) => ({
      activities: s.activities.split(',').map((x) => x.trim()),
      inline: s.executionMode === 'evaluateInline',
      // The answer is not filtered by what was asked for (the reference says so), so it is filtered here.
      ours: s.locations.some((l) => l.value.toLowerCase() === applicationOf(a).toLowerCase()),
      actions: s.policyActions,
    })),
  });
}

function keep(memory: PurviewMemory, person: string, scopes: Scopes): Scopes {
  memory.keepScopes(person, scopes);
  return scopes;
}

/** How an activity is to be told, and the actions that its scopes carry by themselves. Inline wins: one policy that wants an answer needs it. */
export function executionOf(scopes: Scopes, activity: string): { execution: Execution; actions: readonly unknown[] } {
  const apply = scopes.entries.filter((s) => s.ours && s.activities.includes(activity));
  if (apply.length === 0) return { execution: 'none', actions: [] };
  return {
    execution: apply.some((s) => s.inline) ? 'inline' : 'offline',
    actions: apply.flatMap((s) => s.actions),
  };
}
