import type { OutputOf } from '@gatehouse/client/call.ts';
import { simulateEnforcement, type readEnforcement } from '@gatehouse/client/identity.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';

export type EnforcementState = OutputOf<typeof readEnforcement>['state'];

/**
 * Looking is written down, and what is written down in a room has its pages ask again. Asked under a room of its own, so that looking does
 * not make the page look again for ever.
 */
export const simulation = { ...simulateEnforcement, room: 'simulation' };
export type Simulation = OutputOf<typeof simulateEnforcement>;
export type Predicted = Simulation['items'][number];
export type Verdict = Predicted['verdict'];

export const stateWord: Record<EnforcementState, { name: string; says: string }> = {
  off: { name: 'off', says: 'Every way to sign in is taken. Nothing is counted.' },
  report_only: {
    name: 'report-only',
    says: 'Nobody is refused. Sign-ins that enforcement would refuse are counted.',
  },
  staged: { name: 'staged', says: 'A part of the people signs in through the identity provider only.' },
  full: { name: 'full', says: 'Everybody but break-glass accounts signs in through the identity provider only.' },
};

export const verdictWord: Record<Verdict, { says: string; short: string; is: GlyphName }> = {
  ok_proved: { says: 'have signed in so in 30 days', short: 'proved', is: 'ok' },
  ok_predicted: { says: 'will work: directory and identity agree', short: 'predicted', is: 'ok' },
  at_risk: { says: 'at risk', short: 'at risk', is: 'caution' },
  locked_out: { says: 'locked out', short: 'locked out', is: 'broken' },
};
export const verdicts: readonly Verdict[] = ['ok_proved', 'ok_predicted', 'at_risk', 'locked_out'];
