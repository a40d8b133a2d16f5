import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Inspected } from '../../engine.ts';
import { worstOf, type DlpAction } from '../../verdict.ts';
import { jsonOf, ScanFailure, type Deadline } from '../exchange.ts';
import type { Asking, Remembering, Said } from '../said.ts';
import { contentToProcess } from './content.ts';
import { graph } from './graph.ts';
import { activityOf, executionOf, purviewScopes } from './purview-scopes.ts';
import { sendOffline } from './send-offline.ts';

export const Processed = z.object({
  protectionScopeState: z.enum(['notModified', 'modified']),
  policyActions: z.array(z.unknown()).default([]),
  processingErrors: z.array(z.unknown()).default([]),
});

const Restriction = z.object({
  action: z.literal('restrictAccess'),
  restrictionAction: z.enum(['block', 'warn', 'audit']),
});
const meaning: Record<'block' | 'warn' | 'audit', DlpAction> = {
  block: 'block',
  warn: 'require_approval',
  audit: 'alert',
};

/**
 * Asks Microsoft Purview. Its scopes say whether a policy wants to be asked before (inline) or told afterwards (offline); what is told
 * afterwards never holds anybody up. Purview knows people by their user principal name; ours is their e-mail address.
 */
export async function askPurview(
  a: Asking<'purview'>,
  c: Inspected,
  until: Deadline,
  memory: Remembering,
): Promise<Said> {
  const person = c.actor.email;
  // An address in a path: nothing but the form of one gets there.
  if (person === undefined || !/^[^\s/@?#%]+@[^\s/@?#%]+$/.test(person))
    throw new ScanFailure('refused', 'Purview decides for people, and nobody with an e-mail address acts here', false);
  const scopes = await purviewScopes(a, person, until, memory.purview);
  const activity = activityOf[c.phase];
  const { execution, actions } = executionOf(scopes, activity);
  const standing = worstOf(actions.map(actionOf));
  if (execution === 'none') return { action: 'allow' };
  const correlation = randomUUID();
  if (execution === 'offline') {
    sendOffline(a, person, contentToProcess(a, c, activity, correlation), memory);
    return { action: standing };
  }
  const answer = await graph(
    a,
    `/users/${encodeURIComponent(person)}/dataSecurityAndGovernance/processContent`,
    { contentToProcess: contentToProcess(a, c, activity, correlation) },
    until,
    memory.purview,
    scopes.etag,
  );
  const processed = Processed.safeParse(jsonOf(answer, [200]));
  if (!processed.success) throw new ScanFailure('malformed', 'what it found cannot be read');
  // The verdict itself is of the newest policies; what changed may be how the next content is to be told.
  if (processed.data.protectionScopeState === 'modified') memory.purview.forgetScopes(person);
  if (processed.data.processingErrors.length > 0)
    throw new ScanFailure(
      'refused',
      `it could not look at everything (${processed.data.processingErrors.length} processing errors)`,
    );
  return { action: worstOf([standing, ...processed.data.policyActions.map(actionOf)]), reference: correlation };
}

/** An action that we do not know may be a restriction that we would not keep: then there is no verdict. */
function actionOf(action: unknown): DlpAction {
  const r = Restriction.safeParse(action);
  if (!r.success)
    throw new ScanFailure('malformed', 'it asks for an action that is not restrictAccess with block, warn or audit');
  return meaning[r.data.restrictionAction];
}
