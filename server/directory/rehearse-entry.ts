import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { parseJsonText } from '#kernel/json.ts';
import { asProblem, Problem, status } from '#kernel/problem.ts';
import type { Admission } from './admission.ts';
import { asDirectory } from './as-directory.ts';
import { directoryEvents } from './directory.events.ts';
import { findDirectory } from './directory.sql.ts';
import { noDirectory } from './no-directory.ts';
import { perform, scimMethods, type Act } from './perform.ts';
import { MAX_JOURNAL_BODY, newCall, redacted, shortened, type JournalEntry } from './scim-journal.ts';
import { findEntry } from './scim-journal.sql.ts';

/** What would happen if the request of an entry came now. */
export type Rehearsal = {
  status: number;
  problem: { code: string; says: string; fix: string | null } | null;
  meant: Record<string, unknown>;
  notes: readonly string[];
  events: readonly { type: string; data: Record<string, unknown> }[];
  diff: unknown;
};

const notReplayable = (says: string, fix: string): Problem =>
  new Problem('conflict', 'directory/not-replayable', { says, fix });

/**
 * Runs the request of a journal entry as it would run now, in a transaction that is rolled back, and tells what it would change. Its
 * If-Match, if it had one, does not count: it spoke of a version of then.
 */
export async function rehearseEntry(
  ctx: OrgCtx,
  admission: Admission,
  directory: Id<'dir'>,
  id: Id<'jrn'>,
): Promise<Rehearsal> {
  const { found, entry } = await ctx.db.read(scopeOf(ctx), async (db) => ({
    found: await findDirectory(db, directory),
    entry: await findEntry(db, directory, id),
  }));
  if (!found) throw noDirectory(directory);
  if (!entry) throw noEntry(id);
  const act = actOf(entry);
  const heard: AuditEvent[] = [];
  const call = newCall({
    method: entry.method,
    path: entry.path,
    bytes: entry.bytes,
    body: act.body,
    note: () => undefined,
    rehearse: (events) => heard.splice(0, heard.length, ...events),
  });
  let problem: Problem | undefined;
  try {
    await perform(asDirectory(ctx, found, admission, call), act);
  } catch (e) {
    problem = asProblem(e);
    if (problem.kind === 'bug') throw problem;
  }
  // It shows content of the directory, so the log says who looked.
  await change(ctx, async () => ({
    value: undefined,
    events: [event(directoryEvents, 'directory.journal_rehearsed', { directory, entry: id })],
  }));
  const meant = redacted(shortened(call.meant));
  return {
    status: problem ? status[problem.kind] : call.status,
    problem: problem ? { code: problem.code, says: problem.says, fix: problem.fix ?? null } : null,
    meant: typeof meant === 'object' && meant !== null ? { ...meant } : {},
    notes: call.notes,
    events: problem ? [] : heard.map(({ type, data }) => ({ type, data })),
    diff: problem || heard.length === 0 ? null : redacted(shortened(call.diff ?? null)),
  };
}

export const noEntry = (id: string): Problem =>
  new Problem('missing', 'directory/no-entry', {
    says: `there is no entry ${id.slice(0, 60)} in the journal of this directory; it may have been forgotten`,
    fix: 'list the journal',
  });

function actOf(entry: JournalEntry): Act {
  const method = scimMethods.find((m) => m === entry.method);
  const [, endpoint, id] = /^\/?(Users|Groups)(?:\/([^/?]+))?(?:\?.*)?$/i.exec(entry.path) ?? [];
  if (!method || endpoint === undefined || id === '.search' || (id === undefined) !== (method === 'POST'))
    throw notReplayable(
      `a ${entry.method} of ${entry.path.slice(0, 100)} changes nothing by itself`,
      'replay an entry that adds, changes or removes a user or a group; a Bulk request has one for each of its operations',
    );
  if (entry.body !== null && entry.body.length >= MAX_JOURNAL_BODY)
    throw notReplayable(
      'the journal keeps only the beginning of a body as long as this one',
      'let the directory send it again',
    );
  if (entry.body === null && method !== 'DELETE')
    throw notReplayable('its body could not be read when it came', 'let the directory send it again');
  return {
    method,
    kind: endpoint.toLowerCase() === 'users' ? 'User' : 'Group',
    // A Bulk request's operation on something that the request itself made has that one's id as its resource.
    id:
      id === undefined
        ? undefined
        : entry.operation !== null && entry.resource
          ? entry.resource
          : decodeURIComponent(id),
    body: entry.body === null ? undefined : parseJsonText(entry.body),
    when: undefined,
  };
}
