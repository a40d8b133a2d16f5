import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool, type BuiltinCall } from '../../kit/builtin-tool.ts';
import { oneLine } from '../../kit/one-line.ts';
import { atCursor, Cursor, cursorOf, getGraph, moreLine, ownRoot, readAs, said } from '../microsoft/graph.ts';
import { checkRecipients } from './compose.ts';
import { Address, addressLine } from './message.ts';
import { readsCalendar, writesCalendar } from './scopes.ts';

/** Goes into a header between quotes. */
const TimeZone = z
  .string()
  .regex(/^[A-Za-z0-9_+\-/ .()]{1,64}$/, 'expected a time zone like Europe/Berlin')
  .describe('Time zone by its IANA or Windows name, e.g. Europe/Berlin');

const Moment = z.object({ dateTime: z.string(), timeZone: z.string().nullish() });
const Event = z.object({
  id: z.string(),
  subject: z.string().nullish(),
  bodyPreview: z.string().nullish(),
  start: Moment.nullish(),
  end: Moment.nullish(),
  location: z.object({ displayName: z.string().nullish() }).nullish(),
  attendees: z.array(Address.extend({ status: z.object({ response: z.string().nullish() }).nullish() })).nullish(),
  organizer: Address.nullish(),
  isAllDay: z.boolean().nullish(),
  isCancelled: z.boolean().nullish(),
  onlineMeeting: z.object({ joinUrl: z.string().nullish() }).nullish(),
  webLink: z.string().nullish(),
});
const Events = z.object({ value: z.array(Event), '@odata.nextLink': z.string().nullish() });
const eventFields =
  'id,subject,bodyPreview,start,end,location,attendees,organizer,isAllDay,isCancelled,onlineMeeting,webLink';

const PAGE = 50;
/** Longest stretch of time that is asked for at once, in days. */
const MAX_DAYS = 366;

export const listEvents = builtinTool({
  name: 'list_events',
  title: 'List events',
  description: `Lists the events of the person's own calendar between two moments at most ${MAX_DAYS} days apart, repeated ones each time they take place. At most ${PAGE} events, then a cursor.`,
  input: z.strictObject({
    start: z.iso.datetime({ offset: true }).describe('From, e.g. 2026-11-20T00:00:00+01:00'),
    end: z.iso.datetime({ offset: true }).describe('Until, e.g. 2026-11-21T00:00:00+01:00'),
    time_zone: TimeZone.default('UTC'),
    cursor: Cursor,
  }),
  class: 'read',
  projection: [],
  scopes: readsCalendar,
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, args) {
    const days = (Date.parse(args.end) - Date.parse(args.start)) / 86_400_000;
    if (!(days > 0 && days <= MAX_DAYS))
      throw new Problem('invalid', 'connectors/outlook-range', {
        says: `the end is not after the start by at most ${MAX_DAYS} days`,
        fix: 'ask for a shorter time, and again for the rest',
      });
    const list = await getGraph(
      call,
      Events,
      `${ownRoot(call)}/calendarView`,
      {
        startDateTime: new Date(args.start).toISOString(),
        endDateTime: new Date(args.end).toISOString(),
        $select: eventFields,
        $orderby: 'start/dateTime',
        $top: PAGE,
        ...atCursor(args.cursor),
      },
      [`outlook.timezone="${args.time_zone}"`, 'outlook.body-content-type="text"'],
    );
    const cursor = cursorOf(list);
    const shown = list.value.map(shownEvent);
    return said([shown.length === 0 ? 'No events.' : undefined, ...shown.map(eventLine), moreLine(cursor)], {
      events: shown,
      time_zone: args.time_zone,
      ...(cursor === undefined ? {} : { cursor }),
    });
  },
});

function shownEvent(e: z.output<typeof Event>) {
  const at = (m: z.output<typeof Moment> | null | undefined): string | null =>
    m ? `${m.dateTime.replace(/\.0+$/, '')} ${m.timeZone ?? 'UTC'}` : null;
  return {
    event: e.id,
    subject: e.subject ?? '',
    start: at(e.start),
    end: at(e.end),
    all_day: e.isAllDay ?? false,
    cancelled: e.isCancelled ?? false,
    location: e.location?.displayName ?? null,
    organizer: addressLine(e.organizer),
    attendees: (e.attendees ?? []).map((a) => ({ who: addressLine(a), response: a.status?.response ?? null })),
    preview: e.bodyPreview ?? '',
    join_url: e.onlineMeeting?.joinUrl ?? null,
    web_url: e.webLink ?? null,
  };
}

function eventLine(e: ReturnType<typeof shownEvent>): string {
  const who = e.attendees.length === 0 ? '' : `; with ${e.attendees.map((a) => a.who).join(', ')}`;
  return oneLine(
    `- ${e.start ?? ''} to ${e.end ?? ''}: ${e.subject}${e.cancelled ? ' (cancelled)' : ''}${e.location ? ` at ${e.location}` : ''}${who}; event ${e.event}`,
  );
}

/** Without a zone of its own, which could contradict `time_zone`. */
const localTime = (what: string) =>
  z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/, 'expected a time like 2026-11-20T14:00:00')
    .refine((v) => !Number.isNaN(Date.parse(`${v}Z`)), { error: 'there is no such time' })
    .describe(`${what} by time_zone, e.g. 2026-11-20T14:00:00`);

const eventArguments = {
  subject: z.string().min(1).max(255),
  start: localTime('Begin'),
  end: localTime('End'),
  time_zone: TimeZone,
  location: z.string().max(255).optional(),
  text: z.string().max(20_000).optional().describe('Description as plain text'),
};
type Wanted = {
  subject: string;
  start: string;
  end: string;
  time_zone: string;
  location?: string | undefined;
  text?: string | undefined;
};

export const blockTime = builtinTool({
  name: 'block_time',
  title: 'Enter an event for oneself',
  description: "Enters an event without other people into the person's own calendar. Nobody is invited or told.",
  input: z.strictObject(eventArguments),
  class: 'write',
  projection: [
    { kind: 'text', at: '/subject' },
    { kind: 'text', at: '/text' },
  ],
  scopes: writesCalendar,
  brings: [],
  outward: false,
  run: (call, args) => entered(call, args, []),
});

export const createEvent = builtinTool({
  name: 'create_event',
  title: 'Invite people to an event',
  description:
    'Enters an event into the calendar of the person and sends invitations to the attendees. For an event without others, block_time.',
  input: z.strictObject({
    ...eventArguments,
    attendees: z.array(z.email().max(320)).min(1).max(50).describe('Addresses of those who are invited'),
    online_meeting: z.boolean().default(false).describe('Whether it is a meeting in Teams'),
  }),
  class: 'destructive',
  projection: [
    { kind: 'recipient', at: '/attendees/*' },
    { kind: 'text', at: '/subject' },
    { kind: 'text', at: '/text' },
  ],
  scopes: writesCalendar,
  brings: [],
  outward: true,
  run(call, args) {
    checkRecipients(call, args.attendees);
    return entered(call, args, args.attendees, args.online_meeting);
  },
});

async function entered(call: BuiltinCall, w: Wanted, attendees: readonly string[], online = false) {
  if (w.end <= w.start)
    throw new Problem('invalid', 'connectors/outlook-range', {
      says: 'the event ends before it begins',
      fix: 'give an end that is after the start',
    });
  const at = (dateTime: string): unknown => ({ dateTime, timeZone: w.time_zone });
  const answer = await call.vendor.send({
    method: 'POST',
    path: `/v1.0${ownRoot(call)}/events`,
    headers: { prefer: `outlook.timezone="${w.time_zone}"` },
    json: {
      subject: w.subject,
      start: at(w.start),
      end: at(w.end),
      ...(w.text === undefined ? {} : { body: { contentType: 'text', content: w.text } }),
      ...(w.location === undefined ? {} : { location: { displayName: w.location } }),
      ...(attendees.length === 0
        ? {}
        : { attendees: attendees.map((address) => ({ type: 'required', emailAddress: { address } })) }),
      ...(online ? { isOnlineMeeting: true, onlineMeetingProvider: 'teamsForBusiness' } : {}),
    },
  });
  const event = shownEvent(readAs(Event, answer.json()));
  return said(
    [
      eventLine(event),
      attendees.length === 0 ? undefined : `Invited: ${attendees.join(', ')}.`,
      event.join_url ?? undefined,
    ],
    { event },
  );
}
