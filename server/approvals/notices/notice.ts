import type { ToolClass } from '#policy/schema.ts';

/** At once, or together with others in the next summary. */
export type Notice = 'now' | 'digest';

export const NOTICE_WINDOW_MS = 60 * 60_000;

/**
 * How a person is told of a request. What cannot be undone is told at once; what can waits for the summary, and so does everything once
 * somebody was disturbed as often within the hour as the organization wants at most.
 */
export const noticeOf = (about: ToolClass, toldThisHour: number, most: number): Notice =>
  about === 'destructive' && toldThisHour < most ? 'now' : 'digest';
