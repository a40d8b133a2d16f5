import type { Detector } from './detector.ts';
import { detectors } from './detectors.ts';

/** Which way content goes: arguments to a tool, or a result to the person. */
export const directions = ['to_tool', 'to_user'] as const;
export type Direction = (typeof directions)[number];

/** What an organization can have done: let pass, let pass and tell, stop. Quarantine comes with the place that keeps what is stopped. */
export const settableActions = ['allow', 'flag', 'block'] as const;
export type SettableAction = (typeof settableActions)[number];
/** From mild to severe; of several findings the most severe action counts. */
export const actions = ['allow', 'flag', 'quarantine', 'block'] as const;
export type Action = (typeof actions)[number];

export type DlpPolicy = { detector: Detector; to_tool: Action; to_user: Action };
/** What a row says. */
export type DlpSetting = { detector: string; to_tool: SettableAction; to_user: SettableAction };

/** INVARIANT (closed by default): a detector of something grave that nobody has set blocks both ways. What is everyday (an address) passes until somebody says no. */
export function policiesFrom(settings: readonly DlpSetting[]): DlpPolicy[] {
  return detectors.map((detector) => {
    const set = settings.find((s) => s.detector === detector.id);
    const unset = detector.severity === 'critical' || detector.severity === 'high' ? 'block' : 'allow';
    return { detector, to_tool: set?.to_tool ?? unset, to_user: set?.to_user ?? unset };
  });
}
