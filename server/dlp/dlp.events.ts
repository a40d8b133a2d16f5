import { z } from 'zod';
import { declare } from '#audit/events.ts';
import { settableActions } from './dlp-policy.ts';

/** What happens to the rules about content. What was found in a call is told by the call's own event. */
export const dlpEvents = {
  'dlp.policy_set': declare({
    data: z.object({
      detector: z.string().max(60),
      to_tool: z.enum(settableActions),
      to_user: z.enum(settableActions),
    }),
    says: (d) =>
      `set what happens to ${d.detector}: ${d.to_tool} on the way to a tool, ${d.to_user} on the way to a person`,
    ocsf: 5019,
    about: (d) => ({ resource: d.detector }),
  }),
} as const;
