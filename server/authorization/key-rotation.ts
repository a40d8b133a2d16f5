/** How long a key signs. */
export const SIGNS_DAYS = 90;
/** A key is published this long before it signs and after it retired: longer than any cache of ours, and than any token. */
export const KNOWN_HOURS = 24;

const HOUR = 3_600_000;

export type KeyTimes = { kid: string; publishedAt: Date; signsFrom: Date | null; retiredAt: Date | null };
export type Step =
  | { do: 'nothing' }
  | { do: 'begin' }
  | { do: 'publish' }
  | { do: 'promote'; kid: string; retire: string }
  | { do: 'forget'; before: Date };

/** What is due now. One step at a time: publishing and promoting are never the same day's work. */
export function nextStep(keys: readonly KeyTimes[], now: Date): Step {
  const age = (d: Date): number => (now.getTime() - d.getTime()) / HOUR;
  const signing = keys.find((k) => k.signsFrom !== null && k.retiredAt === null);
  if (!signing || signing.signsFrom === null) return { do: 'begin' };
  const waiting = keys.find((k) => k.signsFrom === null);
  if (waiting)
    return age(waiting.publishedAt) >= KNOWN_HOURS
      ? { do: 'promote', kid: waiting.kid, retire: signing.kid }
      : { do: 'nothing' };
  if (keys.some((k) => k.retiredAt !== null && age(k.retiredAt) >= KNOWN_HOURS))
    return { do: 'forget', before: new Date(now.getTime() - KNOWN_HOURS * HOUR) };
  return age(signing.signsFrom) >= SIGNS_DAYS * 24 ? { do: 'publish' } : { do: 'nothing' };
}
