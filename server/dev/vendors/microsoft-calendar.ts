// Calendars of Graph v1.0 (learn.microsoft.com/graph/api: calendar-list-calendarview, event-get, user-post-events).
import { GraphSays, jsonOf, list, need, paged, picked, type GraphCall } from './microsoft-graph.ts';
import { addresses, DENIED, missing } from './microsoft-mail-parts.ts';
import { newMessageId, type MsEvent, type MsUser } from './microsoft-world.ts';
import { header, type Said } from './vendor-server.ts';

const CALENDAR_READ = ['Calendars.Read', 'Calendars.ReadWrite'];
const eventFields = [
  'id subject bodyPreview body start end location attendees organizer isAllDay isCancelled',
  'isOnlineMeeting onlineMeeting webLink showAs responseStatus sensitivity type isOrganizer',
].flatMap((line) => line.split(' '));

export function calendar(c: GraphCall, user: MsUser, rest: string): Said | undefined {
  const { r, world } = c;
  if (rest === '/calendarView' && r.method === 'GET') {
    need(c, CALENDAR_READ, CALENDAR_READ, DENIED);
    const [from, to] = ['startDateTime', 'endDateTime'].map((n) => {
      const v = r.query.get(n) ?? '';
      const at = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(v) ? v : `${v}Z`);
      if (Number.isNaN(at))
        throw new GraphSays(
          400,
          'ErrorInvalidParameter',
          `This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.`,
        );
      return at;
    });
    const found = world.events.filter(
      (e) => e.mailbox === user.mail && Date.parse(`${e.end}Z`) > (from ?? 0) && Date.parse(`${e.start}Z`) < (to ?? 0),
    );
    found.sort((a, b) => a.start.localeCompare(b.start));
    const { page, next } = paged(c, found, { by: 'skip', top: 10, max: 1000 });
    return list(
      page.map((e) => shownEvent(c, e)),
      next,
    );
  }
  if (rest === '/events' && r.method === 'POST') {
    need(c, ['Calendars.ReadWrite'], ['Calendars.ReadWrite'], DENIED);
    const b = jsonOf(c);
    const at = (name: string): string => {
      const v = b[name] as { dateTime?: string; timeZone?: string } | undefined;
      if (!v?.dateTime || Number.isNaN(Date.parse(`${v.dateTime}Z`)) || !v.timeZone)
        throw new GraphSays(400, 'ErrorPropertyValidationFailure', 'At least one property failed validation.');
      return v.dateTime;
    };
    const e: MsEvent = {
      id: newMessageId(),
      mailbox: user.mail,
      subject: typeof b['subject'] === 'string' ? b['subject'] : '',
      body: (b['body'] as { content?: string } | undefined)?.content ?? '',
      start: at('start'),
      end: at('end'),
      attendees: addresses(b['attendees']),
      location: (b['location'] as { displayName?: string } | undefined)?.displayName ?? '',
    };
    world.events.push(e);
    return { status: 201, json: shownEvent(c, e) };
  }
  const id = /^\/events\/([^/]+)$/.exec(rest)?.[1];
  if (id === undefined || r.method !== 'GET') return undefined;
  need(c, CALENDAR_READ, CALENDAR_READ, DENIED);
  const found = world.events.find((e) => e.mailbox === user.mail && e.id === decodeURIComponent(id));
  if (!found) throw missing();
  return { json: shownEvent(c, found) };
}

/** Times in the zone that the request prefers; the stand-in knows UTC and says which one it is. */
function shownEvent(c: GraphCall, e: MsEvent): Record<string, unknown> {
  const zone = /outlook\.timezone="([^"]+)"/.exec(header(c.r, 'prefer') ?? '')?.[1] ?? 'UTC';
  const at = (utc: string): unknown => ({ dateTime: `${inZone(utc, zone)}.0000000`, timeZone: zone });
  return picked(
    c,
    {
      id: e.id,
      subject: e.subject,
      bodyPreview: e.body.slice(0, 255),
      body: { contentType: 'text', content: e.body },
      start: at(e.start),
      end: at(e.end),
      location: { displayName: e.location },
      attendees: e.attendees.map((a) => ({
        type: 'required',
        status: { response: 'none' },
        emailAddress: { address: a, name: a },
      })),
      organizer: { emailAddress: { address: e.mailbox, name: e.mailbox } },
      isAllDay: false,
      isCancelled: false,
      isOnlineMeeting: false,
      webLink: 'https://outlook.office365.example/calendar',
    },
    eventFields,
  );
}

function inZone(utc: string, zone: string): string {
  try {
    return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
      .format(new Date(`${utc}Z`))
      .replace(' ', 'T');
  } catch {
    throw new GraphSays(
      400,
      'TimeZoneNotSupportedException',
      `A valid TimeZone value must be specified. The following TimeZone value is not supported: ''.`,
    );
  }
}
