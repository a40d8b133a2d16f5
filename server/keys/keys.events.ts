import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { ownKeyKinds, ownKeyStates } from './own-key.ts';

const scope = z.string().max(60);
const rotation = z.string().max(60);
const name = z.string().max(400);
const about = (d: { scope: string }) => ({ resource: d.scope });
const whose = (d: { scope: string }): string => (d.scope.startsWith('par_') ? 'the parent' : 'the organization');

/** What happens to the keys that secrets are sealed with. Names of keys, never keys. */
export const keyEvents = {
  'key.rotation_started': declare({
    data: z.object({
      scope,
      rotation,
      generation: z.number().int(),
      newKey: z.boolean(),
      secrets: z.number().int(),
    }),
    says: (d) =>
      `began to seal ${d.secrets} secrets of ${whose(d)} anew with ${d.newKey ? 'a new key' : 'new data keys'} (generation ${d.generation})`,
    ocsf: 5019,
    about,
  }),
  'key.secrets_resealed': declare({
    data: z.object({
      scope,
      rotation,
      table: z.string().max(100),
      secrets: z.number().int(),
      unreadable: z.number().int(),
    }),
    says: (d) =>
      `sealed ${d.secrets} secrets in ${d.table} anew${d.unreadable > 0 ? `; ${d.unreadable} do not open and stay as they are` : ''}`,
    ocsf: 5019,
    about,
  }),
  'key.rotation_finished': declare({
    data: z.object({ scope, rotation, generation: z.number().int(), secrets: z.number().int() }),
    says: (d) => `finished sealing anew: ${d.secrets} secrets of ${whose(d)} (generation ${d.generation})`,
    ocsf: 5019,
    about,
  }),
  'key.retired': declare({
    data: z.object({ scope, generation: z.number().int() }),
    says: (d) => `destroyed the key of generation ${d.generation} of ${whose(d)}, which no secret needs any more`,
    ocsf: 5019,
    about,
  }),
  'key.rewrapped': declare({
    data: z.object({ scope, keys: z.number().int(), to: name }),
    says: (d) => `had ${d.keys} keys of ${whose(d)} wrapped anew by ${d.to}`,
    ocsf: 5019,
    about,
  }),
  'key.own_named': declare({
    data: z.object({ scope, key: z.string().max(60), kind: z.enum(ownKeyKinds), where: name }),
    says: (d) => `put the organization's keys under its own key ${d.where}`,
    ocsf: 5019,
    about,
  }),
  'key.own_dropped': declare({
    data: z.object({ scope, key: z.string().max(60), abandoned: z.number().int() }),
    says: (d) =>
      d.abandoned > 0
        ? `gave up the organization's own key and ${d.abandoned} secrets that only it opens`
        : `took the organization's keys from under its own key`,
    ocsf: 5019,
    about,
  }),
  'key.own_state_changed': declare({
    data: z.object({ scope, key: z.string().max(60), state: z.enum(ownKeyStates), was: z.enum(ownKeyStates) }),
    says: (d) =>
      d.state === 'good'
        ? `could use the organization's own key again`
        : d.state === 'gone'
          ? `was told by the organization's key service that its key is no longer ours to use`
          : `could not reach the organization's key service`,
    ocsf: 5019,
    about,
  }),
} as const;
