import type { OAuthFacts } from '#vault/oauth-facts.ts';
import { signIn } from '../microsoft/entra.ts';

export const outlookScopes: OAuthFacts['scopes'] = {
  read_only: [...signIn, 'Mail.Read', 'Calendars.Read'],
  read_write: [...signIn, 'Mail.ReadWrite', 'Mail.Send', 'Calendars.ReadWrite'],
};

export const readsMail = ['Mail.Read', 'Mail.ReadWrite'] as const;
export const readsCalendar = ['Calendars.Read', 'Calendars.ReadWrite'] as const;
export const writesMail = ['Mail.ReadWrite'] as const;
export const sendsMail = ['Mail.Send'] as const;
export const writesCalendar = ['Calendars.ReadWrite'] as const;
