import { stations, type Station } from '@gatehouse/ui/decision-path.tsx';
import { endingOf, tookOf, type LogEvent } from './event-words.tsx';

const ADMIT = 1;
const APPROVE = 2;
const INSPECT_ARGUMENTS = 3;
const SEND = 4;
const INSPECT_RESULT = 5;

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const contentOf = (e: LogEvent): { arguments: string | undefined; result: string | undefined } => {
  const content = e.data['content'];
  const part = (name: string): string | undefined =>
    typeof content === 'object' && content !== null ? text((content as Record<string, unknown>)[name]) : undefined;
  return { arguments: part('arguments'), result: part('result') };
};

/** At which station a call stopped; undefined: it went through. */
function stopOf(e: LogEvent): number | undefined {
  switch (e.disposition) {
    case 'denied':
      return ADMIT;
    case 'held':
      return APPROVE;
    case 'blocked':
      return contentOf(e).result === undefined ? INSPECT_ARGUMENTS : INSPECT_RESULT;
    case 'failed':
    case 'lost':
      return SEND;
    case undefined:
    default:
      return undefined;
  }
}

/** The way of a call through the gate, from how it ended. What did not happen is shown as not reached. */
export function pathOf(e: LogEvent): Station[] {
  const { glyph, word } = endingOf(e);
  const stop = stopOf(e);
  const content = contentOf(e);
  const took = tookOf(e);
  const notes = [
    'recorded',
    'permitted',
    text(e.data['approval']) === undefined ? 'not needed' : 'approved',
    content.arguments ?? 'not asked',
    took === undefined ? 'sent' : `${took} ms`,
    content.result ?? 'not asked',
    word.toLowerCase(),
  ];
  return stations.map((name, i): Station => {
    const note = notes[i] ?? '';
    if (i === stop)
      return {
        name,
        is: e.disposition === 'held' ? 'waiting' : 'stopped',
        note: text(e.data['why']) ?? word.toLowerCase(),
        glyph,
      };
    if (stop === undefined || i < stop || (i === stations.length - 1 && e.disposition !== 'held'))
      return { name, is: 'passed', note };
    return { name, is: 'skipped', note: e.disposition === 'held' ? 'not yet' : 'not reached' };
  });
}
