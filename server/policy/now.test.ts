import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTimeZone, nowIn } from './now.ts';

const moments: readonly [zone: string, at: string, weekday: number, minute: number][] = [
  ['UTC', '1970-01-01T00:00:00Z', 4, 0],
  ['UTC', '1969-12-31T23:59:59Z', 3, 1439],
  ['UTC', '2026-11-22T23:59:59Z', 7, 1439],
  ['Europe/Berlin', '2026-11-22T23:30:00Z', 1, 30],
  ['America/New_York', '2026-11-23T04:59:00Z', 7, 1439],
  ['Asia/Kathmandu', '2026-11-20T00:00:00Z', 5, 345],
  // Summer time ends at 01:00 UTC.
  ['Europe/Berlin', '2026-10-25T00:59:00Z', 7, 179],
  ['Europe/Berlin', '2026-10-25T01:00:00Z', 7, 120],
];
for (const [zone, at, weekday, minute] of moments)
  test(`in ${zone}, ${at} is minute ${minute} of weekday ${weekday}`, () => {
    assert.deepEqual(nowIn(zone, new Date(at)), { weekday, minute });
  });

test('only names of zones are zones', () => {
  assert.deepEqual(
    ['UTC', 'Europe/Berlin', 'Etc/GMT+5', 'Mars/Olympus', '+05:00', 'CET', '', 'Europe/../Berlin'].filter(isTimeZone),
    ['UTC', 'Europe/Berlin', 'Etc/GMT+5'],
  );
});
