const number = new Intl.NumberFormat('en');
const pad = (n: number, to = 2): string => String(n).padStart(to, '0');
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** 4,908 */
export const count = (n: number): string => number.format(n);

/** `4 people`, `1 person`. */
export const countOf = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** 14:02:07.282, UTC; the column's head says so. */
export function clock(at: string): string {
  const d = new Date(at);
  return `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}.${pad(d.getUTCMilliseconds(), 3)}`;
}

/** 3 Nov 2026, UTC. */
export function day(at: string): string {
  const d = new Date(at);
  return `${d.getUTCDate()} ${months[d.getUTCMonth()] ?? ''} ${d.getUTCFullYear()}`;
}

/** Friday 20 Nov, UTC: the head of a day in a log. */
export function weekday(at: string): string {
  const d = new Date(at);
  return `${days[d.getUTCDay()] ?? ''} ${d.getUTCDate()} ${months[d.getUTCMonth()] ?? ''}`;
}

/** 3 Nov 2026, 14:02 UTC. */
export function moment(at: string): string {
  const d = new Date(at);
  return `${day(at)}, ${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())} UTC`;
}

/** In prose: "since 07:52" of today, "since 12 Nov" of another day. Both UTC; `moment` belongs into the title. */
export function since(at: string, now = new Date()): string {
  const d = new Date(at);
  const today = d.toISOString().slice(0, 10) === now.toISOString().slice(0, 10);
  return today
    ? `since ${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`
    : `since ${d.getUTCDate()} ${months[d.getUTCMonth()] ?? ''}`;
}

const units: [number, string][] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];

/** A length of time in its largest unit: `3 days`, `40 seconds`. */
export function span(ms: number): string {
  const [unit, name] = units.find(([u]) => ms >= u) ?? [1000, 'second'];
  return countOf(Math.floor(ms / unit), name);
}

/** `in 3 days`, `31 seconds ago`. */
export function when(at: string, now = Date.now()): string {
  const ms = new Date(at).getTime() - now;
  return ms >= 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}

/** Bytes with their unit: 1.4 MB. */
export const bytes = (n: number): string =>
  n < 1000
    ? `${n} B`
    : n < 1e6
      ? `${(n / 1000).toFixed(1)} KB`
      : n < 1e9
        ? `${(n / 1e6).toFixed(1)} MB`
        : `${(n / 1e9).toFixed(1)} GB`;
