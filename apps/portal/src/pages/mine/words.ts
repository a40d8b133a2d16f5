import type { OutputOf } from '@gatehouse/client/call.ts';
import type { listCalls, listConnectors, listTools, readAccess } from '@gatehouse/client/mine.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { sentence } from '../../kit/problem.tsx';
import { day } from '../../kit/words.ts';

export type MyConnector = OutputOf<typeof listConnectors>['items'][number];
export type MyCall = OutputOf<typeof listCalls>['items'][number];
export type MyTool = OutputOf<typeof listTools>['items'][number];
export type ConnectorAccess = OutputOf<typeof readAccess>['connectors'][number];
export type ClassAccess = ConnectorAccess['classes'][number];
export type Standing = { is: GlyphName; word: string; says: string };

/** How a call ended, as its glyph and its word. */
export const endings: Record<NonNullable<MyCall['outcome']> | 'open', { is: GlyphName; word: string }> = {
  answered: { is: 'answered', word: 'Answered' },
  held: { is: 'held', word: 'Held' },
  denied: { is: 'denied', word: 'Denied' },
  blocked: { is: 'blocked', word: 'Blocked' },
  failed: { is: 'failed', word: 'Failed' },
  lost: { is: 'lost', word: 'Lost' },
  open: { is: 'open', word: 'In flight' },
};

/** What would become of a call. A rule is no fault, so nothing here is red. */
export const outlooks: Record<MyTool['outcome'], { is: GlyphName; word: string }> = {
  allowed: { is: 'ok', word: 'Yes' },
  asks: { is: 'ask', word: 'Asks first' },
  depends: { is: 'info', word: 'It depends' },
  denied: { is: 'no', word: 'No' },
};

export const classWords: Record<MyTool['class'], string> = {
  read: 'Look things up',
  write: 'Change things',
  destructive: 'Delete or reach outside',
};

const whys: Record<string, string> = {
  policy: 'No rule lets you do this.',
  unreviewed: 'Nobody has reviewed this tool yet.',
  changed: 'The tool changed after its review; it waits for a new one.',
  unknown_tool: 'The connector has no tool of this name.',
  unreadable_argument: 'An argument had a form that rules cannot read.',
  arguments: 'The arguments do not fit what the reviewer allowed.',
  scope: 'The agent did not ask you for this when it was given access.',
  approval_denied: 'A person said no.',
  approval_expired: 'Nobody decided in time.',
  approval_cancelled: 'The request was taken back.',
  approval_superseded: 'A newer request took its place.',
  approval_revoked: 'The yes was taken back.',
  cannot_decide: 'It could not be decided, so it did not run.',
  not_connected: 'No account is connected.',
  reconnect: 'The connection has ended. Connect it again.',
  app: 'The vendor refuses the organization’s app. An administrator must mend it.',
  later: 'The vendor gives no credential now. Try again later.',
  unreachable: 'The system could not be reached.',
  timeout: 'The system did not answer in time.',
  too_large: 'The answer was too large.',
  upstream_error: 'The system answered with an error.',
  credential_refused: 'The system refused the account.',
  access_ended: 'Access ended while the call ran.',
  client_left: 'The agent did not wait for the answer.',
  interrupted: 'The answer was cut off.',
};
/** Why a call ended so, for the person whose agent made it. */
export function whyOf(call: MyCall): string {
  if (call.outcome === 'blocked')
    return call.why === 'result'
      ? 'Something in its result may not pass, so it was not given out.'
      : 'Something in its arguments may not pass, so it was not sent.';
  if (call.why !== null) return whys[call.why] ?? `${call.why.replaceAll('_', ' ')}.`;
  switch (call.outcome) {
    case 'held':
      return 'It waited for a person.';
    case 'lost':
      return 'We do not know how it ended.';
    case 'denied':
    case 'failed':
    case 'answered':
    case null:
      return '';
  }
}

const noun = (access: 'read_only' | 'read_write'): string => (access === 'read_only' ? 'read' : 'read and write');
export const accessWords = noun;

/** How a connector stands for me: one glyph, one word, one sentence. */
export function standingOf(c: MyConnector, access: ConnectorAccess | undefined, org: string): Standing {
  const own = c.connection;
  if (own) {
    const as = `As ${own.account?.label ?? 'an account whose name is not known'}, to ${noun(own.access)}.`;
    if (!c.on) return { is: 'no', word: 'Switched off', says: `${as} An administrator has switched ${c.name} off.` };
    switch (own.health.state) {
      case 'good':
        return { is: 'ok', word: 'Connected', says: as };
      case 'ending':
        return {
          is: 'caution',
          word: `Ends ${own.nextEnd ? day(own.nextEnd.at) : 'soon'}`,
          says: `${as} ${sentence(own.health.says)}`,
        };
      case 'retrying':
        return {
          is: 'caution',
          word: 'Not renewed',
          says: `${as} ${sentence(own.health.says)} It is tried again by itself.`,
        };
      case 'broken':
        return own.health.whose === 'admin'
          ? {
              is: 'caution',
              word: 'Not working',
              says: `${sentence(own.health.says)} An administrator must mend it; there is nothing for you to do.`,
            }
          : { is: 'broken', word: 'Ended', says: sentence(own.health.says) };
      case 'ended':
        return { is: 'none', word: 'Not connected', says: sentence(own.health.says) };
    }
  }
  if (c.barred !== null) return { is: 'no', word: 'Not for you', says: sentence(c.barred) };
  if (access && access.classes.length > 0 && access.classes.every((k) => k.counts.denied === total(k)))
    return {
      is: 'no',
      word: 'Not for you',
      says:
        access.classes.length === 1 && access.classes[0]?.says
          ? sentence(access.classes[0].says)
          : 'No rule lets you use its tools.',
    };
  if (c.actAs === 'none') return { is: 'ok', word: 'Ready', says: 'It needs no account of yours.' };
  if (c.actAs !== 'person')
    return { is: 'ok', word: 'Ready', says: `Through ${org}’s own account; there is nothing for you to do.` };
  if (!c.ready)
    return {
      is: 'none',
      word: 'Not ready yet',
      says: `An administrator has still to register Gatehouse at ${c.name}.`,
    };
  return {
    is: 'none',
    word: 'Not connected',
    says: 'Your agents can use it in your name once you connect your account.',
  };
}

export const total = (k: ClassAccess): number => k.counts.allowed + k.counts.asks + k.counts.denied + k.counts.depends;

/** Several tools of one class in one word, and what of them differs. */
export function classStanding(k: ClassAccess): { is: GlyphName; word: string; note: string | null } {
  const n = total(k);
  const kinds = (['allowed', 'asks', 'depends', 'denied'] as const).filter((o) => k.counts[o] > 0);
  const [only] = kinds;
  if (only && kinds.length === 1) return { ...outlooks[only], note: n === 1 ? null : `all ${n} tools` };
  const parts = kinds.map(
    (o) => `${k.counts[o]} ${{ allowed: 'yes', asks: 'ask first', depends: 'depend', denied: 'no' }[o]}`,
  );
  return { is: 'info', word: 'Some', note: `${n} tools: ${parts.join(', ')}` };
}

const systems: [RegExp, string][] = [
  [/iPhone|iPad/, 'iPhone or iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Macintosh|Mac OS/, 'Mac'],
  [/Linux|X11/, 'Linux'],
];
const browsers: [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
/** What a browser says of itself, in words; what it says may be anything. */
export function deviceOf(userAgent: string): string {
  const browser = browsers.find(([r]) => r.test(userAgent))?.[1];
  const system = systems.find(([r]) => r.test(userAgent))?.[1];
  if (!browser && !system) return userAgent === '' ? 'An unnamed browser' : userAgent.slice(0, 80);
  return `${browser ?? 'A browser'} on ${system ?? 'an unknown system'}`;
}
