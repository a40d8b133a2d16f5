import { Problem } from '#kernel/problem.ts';
import { kqlPhrase, kqlWords } from '../microsoft/graph.ts';

export type MailWanted = {
  text?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  subject?: string | undefined;
  after?: string | undefined;
  before?: string | undefined;
  unread?: boolean | undefined;
  has_attachments?: boolean | undefined;
};

/**
 * What is wanted as parameters of Graph: `$search` where words are looked for, else `$filter`, because Graph takes only one of them. Everything
 * that came in arguments stands in quotes that it cannot end, or is a date or a truth value.
 */
export function mailQuery(w: MailWanted): Readonly<Record<string, string>> {
  const words = [
    ...(w.text === undefined ? [] : [kqlWords(w.text)]),
    ...(w.from === undefined ? [] : [`from:${kqlPhrase(w.from)}`]),
    ...(w.to === undefined ? [] : [`to:${kqlPhrase(w.to)}`]),
    ...(w.subject === undefined ? [] : [`subject:${kqlPhrase(w.subject)}`]),
  ];
  return words.length > 0 ? searched(w, words) : filtered(w);
}

function searched(w: MailWanted, words: readonly string[]): Readonly<Record<string, string>> {
  if (w.unread !== undefined)
    throw new Problem('invalid', 'connectors/outlook-unread', {
      says: 'Outlook cannot look for words and for unread messages at once',
      fix: 'leave out unread, and look at what is read in the answer',
    });
  const terms = [
    ...words,
    ...(w.after === undefined ? [] : [`received>=${w.after}`]),
    // KQL knows days only, and this one is not to be in it.
    ...(w.before === undefined ? [] : [`received<=${dayBefore(w.before)}`]),
    ...(w.has_attachments === undefined ? [] : [`hasattachments:${w.has_attachments}`]),
  ];
  return { $search: `"${terms.join(' ').replaceAll('"', '\\"')}"` };
}

function filtered(w: MailWanted): Readonly<Record<string, string>> {
  // What is ordered by must stand in the filter too, and before everything else.
  const terms = [
    `receivedDateTime ge ${w.after ?? '1900-01-01'}T00:00:00Z`,
    ...(w.before === undefined ? [] : [`receivedDateTime lt ${w.before}T00:00:00Z`]),
    ...(w.unread === undefined ? [] : [`isRead eq ${!w.unread}`]),
    ...(w.has_attachments === undefined ? [] : [`hasAttachments eq ${w.has_attachments}`]),
  ];
  return { $filter: terms.join(' and '), $orderby: 'receivedDateTime desc' };
}

const dayBefore = (day: string): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
