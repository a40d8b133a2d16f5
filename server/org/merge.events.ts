import { z } from 'zod';
import { declare } from '#audit/events.ts';

const id = z.string().max(40);
const side = z.enum(['joining', 'receiving']);
const n = z.number().int();
const about = (d: { merge: string }): { resource: string } => ({ resource: d.merge });
const carried = z.object({
  merge: id,
  from: id,
  into: id,
  orgs: z.array(id),
  people: n,
  joined: n,
  directories: n,
  connections: n,
  domains: n,
});

/** What the log tells about sister organizations and merges. Steps that concern both sides are told in the logs of both. */
export const mergeEvents = {
  'org.sister_created': declare({
    data: z.object({ org: id, surface: z.enum(['workspace', 'console']) }),
    says: (d) => `created the organization ${d.org} (${d.surface}) under the same parent`,
    ocsf: 3001,
    about: (d) => ({ resource: d.org }),
  }),
  'org.merge_proposed': declare({
    data: z.object({ merge: id, side, with: id }),
    says: (d) => `proposed a merge with ${d.with}, as the ${d.side} side`,
    ocsf: 5019,
    about,
  }),
  'org.merge_sent': declare({
    data: z.object({ merge: id, joining: id, receiving: id }),
    says: (d) => `sent the proposal that ${d.joining} joins the parent of ${d.receiving}`,
    ocsf: 5019,
    about,
  }),
  'org.merge_previewed': declare({
    data: z.object({ merge: id, hash: z.string().length(64), joined: n, conflicts: n }),
    says: (d) => `compared both sides of the merge ${d.merge}: ${d.joined} people on both, ${d.conflicts} in the way`,
    ocsf: 6003,
    about,
  }),
  'org.merge_approved': declare({
    data: z.object({ merge: id, side, hash: z.string().length(64) }),
    says: (d) => `approved the merge ${d.merge} for the ${d.side} side, as previewed in ${d.hash.slice(0, 8)}`,
    ocsf: 3005,
    about,
  }),
  'org.merge_stale': declare({
    data: z.object({ merge: id, approvalsEnded: n }),
    says: (d) => `found the preview of the merge ${d.merge} changed; ${d.approvalsEnded} approvals ended`,
    ocsf: 5019,
    about,
  }),
  'org.merge_rejected': declare({
    data: z.object({ merge: id, side }),
    says: (d) => `ended the proposal ${d.merge} for the ${d.side} side`,
    ocsf: 5019,
    about,
  }),
  'org.merge_expired': declare({
    data: z.object({ merge: id }),
    says: (d) => `let the proposal ${d.merge} end: nobody decided in time`,
    ocsf: 5019,
    about,
  }),
  'org.merge_applied': declare({
    data: carried.extend({ undoUntil: z.iso.datetime() }),
    says: (d) =>
      `moved ${d.orgs.length} organizations with ${d.people} people from ${d.from} to ${d.into}; ${d.joined} accounts became one with another`,
    ocsf: 5019,
    about,
  }),
  'org.merge_undone': declare({
    data: carried,
    says: (d) => `moved ${d.orgs.length} organizations with ${d.people} people back from ${d.into} to ${d.from}`,
    ocsf: 5019,
    about,
  }),
} as const;
