/** A moment by an organization's clock, as rules speak of it: Monday is 1, minutes since midnight. */
export type Now = { readonly weekday: number; readonly minute: number };

const MINUTE = 60_000;
/** No time zone has changed its offset at another point than a quarter of an hour. */
const QUARTER = 15 * MINUTE;

type Zone = { readonly format: Intl.DateTimeFormat; quarter: number; offset: number };
const zones = new Map<string, Zone>();

/** Whether rules can be told the time there: the name of a zone of the tz database, like `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  if (name !== 'UTC' && !/^[A-Za-z]+(?:\/[A-Za-z0-9_+-]+)+$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** What the clock of an organization says. Cheap enough for every call: the zone is asked once per quarter of an hour. */
export function nowIn(zone: string, at: Date): Now {
  const ms = at.getTime();
  const local = ms + (zone === 'UTC' ? 0 : offsetOf(zone, ms));
  const minutes = Math.floor(local / MINUTE);
  const day = Math.floor(minutes / 1440);
  // 1 January 1970 was a Thursday.
  return { weekday: ((((day + 3) % 7) + 7) % 7) + 1, minute: minutes - day * 1440 };
}

function offsetOf(name: string, ms: number): number {
  let zone = zones.get(name);
  if (!zone) {
    zone = {
      format: new Intl.DateTimeFormat('en', {
        timeZone: name,
        hourCycle: 'h23',
        ...({ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const),
      }),
      quarter: NaN,
      offset: 0,
    };
    zones.set(name, zone);
  }
  const quarter = Math.floor(ms / QUARTER);
  if (quarter !== zone.quarter) {
    const parts = new Map(zone.format.formatToParts(quarter * QUARTER).map((p) => [p.type, Number(p.value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
    zone.offset = local - quarter * QUARTER;
    zone.quarter = quarter;
  }
  return zone.offset;
}
