import { z } from 'zod';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import type { Admission } from './admission.ts';
import { directoryEvents } from './directory.events.ts';
import { findDirectory } from './directory.sql.ts';
import { noDirectory } from './no-directory.ts';
import { settledNotes } from './note-calls.ts';
import { noEntry, rehearseEntry } from './rehearse-entry.ts';
import { MAX_JOURNAL_BODY, type JournalEntry } from './scim-journal.ts';
import { findEntry, listEntries } from './scim-journal.sql.ts';

const OfDirectory = z.object({ org: z.string(), directory: z.string() });
const OfEntry = z.object({ org: z.string(), directory: z.string(), entry: z.string() });
const ProblemReply = z.object({ code: z.string(), says: z.string(), fix: z.string().nullable() });
const Line = z.object({
  id: z.string(),
  at: z.string(),
  request: z.string().describe('Also in the header of the answer, in its error, and in the events of the log.'),
  operation: z.number().nullable().describe('Index in a Bulk request.'),
  token: z.string(),
  method: z.string(),
  path: z.string(),
  resource: z.string().nullable(),
  people: z.array(z.string()),
  status: z.number(),
  ms: z.number().describe('From the gate to the end, in milliseconds; of a change: to its commit.'),
  bytes: z.number(),
  meant: z.record(z.string(), z.unknown()),
  changed: z.array(z.unknown()).describe('Events with their data, and attributes before and after.'),
  problem: ProblemReply.nullable(),
});
const Entry = Line.extend({ body: z.string().nullable(), truncated: z.boolean() });

const line = ({ at, body: _body, people, changed, ...e }: JournalEntry): z.infer<typeof Line> => ({
  ...e,
  people: [...people],
  changed: [...changed],
  at: at.toISOString(),
});

export const directoryId = (text: string): Id<'dir'> => {
  const id = parseId('dir', text);
  if (!id) throw noDirectory(text);
  return id;
};
const entryId = (text: string): Id<'jrn'> => {
  const id = parseId('jrn', text);
  if (!id) throw noEntry(text);
  return id;
};

/** Makes sure that the directory is of this org, and tells the log that its journal was read, before anything is shown. */
async function open(ctx: OrgCtx, text: string, entry: string | null, filter: string | null): Promise<Id<'dir'>> {
  const directory = directoryId(text);
  await settledNotes(ctx.db);
  await change(ctx, async (tx) => {
    if (!(await findDirectory(tx, directory))) throw noDirectory(directory);
    return {
      value: undefined,
      events: [event(directoryEvents, 'directory.journal_read', { directory, entry, filter })],
    };
  });
  return directory;
}

/** The journal of a directory, for whoever looks for a fault between an identity provider and us; door `/api`. */
export const journalOperations = (admission: Admission): readonly Operation[] => [
  operation({
    id: 'directory.list_journal',
    at: 'GET /orgs/:org/directories/:directory/journal',
    can: 'directory.manage',
    says: 'Requests of a directory, newest first: as they came, what they meant, what they changed, how they ended.',
    discloses: true,
    params: OfDirectory,
    query: ListQuery.extend({
      status: z
        .string()
        .regex(/^[1-5](xx|\d\d)$/, 'a status like 409, or 4xx')
        .optional()
        .describe('One status, or all of its hundred: 4xx.'),
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
      resource: z.string().max(60).optional().describe('Id of an entry or a group.'),
      person: z.string().max(60).optional().describe("Id of somebody's entry in the directory, or of the account."),
    }),
    reply: listOf(Line),
    async handle(c, { params, query }) {
      const ctx = inOrg(c);
      const { q, status, method, resource, person, limit, cursor } = query;
      const asked = Object.entries({ q, status, method, resource, person }).flatMap(([k, v]) =>
        v === undefined ? [] : [`${k} ${v}`],
      );
      const directory = await open(ctx, params.directory, null, asked.join(', ').slice(0, 300) || null);
      const found = await ctx.db.read(scopeOf(ctx), (db) =>
        listEntries(db, directory, {
          q,
          status: status === undefined ? undefined : Number(status.replace('xx', '')),
          method,
          resource,
          person,
          after: cursor?.[0],
          limit,
        }),
      );
      const { items, next } = listed(found, limit, (e) => [e.id]);
      return { items: items.map(line), next };
    },
  }),
  operation({
    id: 'directory.get_journal_entry',
    at: 'GET /orgs/:org/directories/:directory/journal/:entry',
    can: 'directory.manage',
    says: 'One request of a directory with its body, secrets taken out.',
    discloses: true,
    params: OfEntry,
    reply: Entry,
    async handle(c, { params }) {
      const ctx = inOrg(c);
      const id = entryId(params.entry);
      const directory = await open(ctx, params.directory, id, null);
      const found = await ctx.db.read(scopeOf(ctx), (db) => findEntry(db, directory, id));
      if (!found) throw noEntry(id);
      return { ...line(found), body: found.body, truncated: (found.body?.length ?? 0) >= MAX_JOURNAL_BODY };
    },
  }),
  operation({
    id: 'directory.rehearse_journal_entry',
    at: 'POST /orgs/:org/directories/:directory/journal/:entry/replay',
    can: 'directory.manage',
    says: 'Runs the request again as it would run now, undoes it, and tells what it would have changed.',
    params: OfEntry,
    body: z.strictObject({}),
    reply: z.object({
      status: z.number(),
      problem: ProblemReply.nullable(),
      meant: z.record(z.string(), z.unknown()),
      notes: z.array(z.string()),
      events: z.array(z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) })),
      diff: z.unknown(),
    }),
    async handle(c, { params }) {
      const done = await rehearseEntry(inOrg(c), admission, directoryId(params.directory), entryId(params.entry));
      return { ...done, notes: [...done.notes], events: [...done.events] };
    },
  }),
];
