import type { OutputOf } from '@gatehouse/client/call.ts';
import type { listVersions } from '@gatehouse/client/policy.ts';

type Version = OutputOf<typeof listVersions>['items'][number];

const kinds: Record<string, string> = {
  add_rule: 'a rule was added',
  replace_rule: 'a rule was changed',
  remove_rule: 'a rule was removed',
  set_settings: 'what holds by default was set',
  set_after_reading: 'what holds after reading was set',
  set_control: 'a control was set',
  remove_control: 'a control was taken back',
  set_type_control: 'a control of a type was set',
  remove_type_control: 'a control of a type was taken back',
  save_cedar: 'a policy in Cedar was saved',
  remove_cedar: 'a policy in Cedar was removed',
};
/** What made a version, in words. */
export const wordsOfVersion = (v: Version): string =>
  v.kind === 'restore' ? `version ${v.restored ?? 0} was brought back` : (kinds[v.kind] ?? v.kind);
export const makerOf = (v: Version): string => v.maker ?? v.madeBy;
