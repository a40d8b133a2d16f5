import type { ConnectorApp } from '#vault/connector-app.ts';
import type { Connection } from '#vault/connection.ts';

/** What ends: the consent, its time without use, what an administrator gave, the app that all consents go through. */
export const clocks = ['refresh', 'idle', 'given', 'app'] as const;
export type Clock = (typeof clocks)[number];
export type End = { clock: Clock; at: Date };

/** Days ahead at which people are told; 0 is when it has ended. */
export const STEPS = [14, 7, 3, 1, 0] as const;
export type Step = (typeof STEPS)[number];
const DAY = 86_400_000;
/** As far ahead as anybody is told anything. */
export const AHEAD_MS = STEPS[0] * DAY;

/** What is renewed by itself should have been at half of its time; when so much of it is gone, that has not worked. */
const RENEWED_BY = 0.6;

/** A vendor whose refresh token is new with each renewal has a new end with each, too. */
export type Watched = { connection: Connection; rotates: boolean };

/** When this connection ends unless somebody does something, soonest first. What is renewed by itself counts only when that has not worked. */
export function endsOf({ connection: c, rotates }: Watched, now: Date): End[] {
  const { refresh, idle, given } = c.expiry;
  const start = (c.lastRefreshed ?? c.made.at).getTime();
  const neglected = (end: Date): boolean => now.getTime() >= start + RENEWED_BY * (end.getTime() - start);
  const ends: End[] = [];
  if (refresh && (!rotates || neglected(refresh))) ends.push({ clock: 'refresh', at: refresh });
  if (idle && neglected(idle)) ends.push({ clock: 'idle', at: idle });
  if (given) ends.push({ clock: 'given', at: given });
  return ends.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Whether a connection of this kind is to be renewed now so that it does not end by being idle. */
export function wantsRenewal({ connection: c, rotates }: Watched, now: Date): boolean {
  if (c.grantKind !== 'oauth' || c.standing.state !== 'active') return false;
  const start = (c.lastRefreshed ?? c.made.at).getTime();
  const half = (end: Date | undefined): boolean =>
    end !== undefined && end > now && now.getTime() >= start + (end.getTime() - start) / 2;
  return half(c.expiry.idle) || (rotates && half(c.expiry.refresh));
}

/** Which of the steps an end has come to; undefined: it is further away. */
export function stepOf(at: Date, now: Date): Step | undefined {
  const left = at.getTime() - now.getTime();
  if (left <= 0) return 0;
  return STEPS.findLast((s) => s > 0 && left <= s * DAY);
}

/** The last daily look at an account of the organization. */
export type Check = { at: Date; trouble: { why: string; says: string } | undefined };

export const healthStates = ['good', 'ending', 'retrying', 'broken', 'ended'] as const;
/** `whose`: who can do something about it. */
export type Health = {
  state: (typeof healthStates)[number];
  says: string;
  fix: string | null;
  whose: 'person' | 'admin' | null;
};

/** Words for what ends, as the beginning of a sentence. */
export const clockWords: Record<Clock, string> = {
  refresh: 'the consent',
  idle: 'the consent, because it is not used,',
  given: 'the certificate or secret that was given',
  app: 'the secret or certificate of the app at the vendor',
};

const mend = (c: Connection): { fix: string; whose: 'person' | 'admin' } =>
  c.owner.kind === 'person'
    ? { fix: 'connect the account again', whose: 'person' }
    : { fix: 'give the account of the organization anew', whose: 'admin' };

/** How a connection stands, and what to do. The worst that is known comes first. */
export function healthOf(
  w: Watched & { app?: ConnectorApp | undefined; check?: Check | undefined },
  vendor: string,
  now: Date,
): Health {
  const { connection: c, app, check } = w;
  const s = c.standing;
  if (s.state === 'revoked')
    return { state: 'ended', says: `ended: ${s.why.replaceAll('_', ' ')}`, fix: null, whose: null };
  if (s.state === 'reconnect')
    return { state: 'broken', says: `${vendor} does not accept it any more (${s.why})`, ...mend(c) };
  if (app?.failingSince || (s.state === 'refresh_failed' && s.because === 'app'))
    return {
      state: 'broken',
      says: `${vendor} refuses the organization's app, so nothing can be renewed`,
      fix: 'make a new secret or certificate for the app at the vendor and enter it here',
      whose: 'admin',
    };
  if (check?.trouble)
    return { state: 'broken', says: `the daily check failed: ${check.trouble.says}`, fix: mend(c).fix, whose: 'admin' };
  if (s.state === 'refresh_failed')
    return {
      state: 'retrying',
      says: `${vendor} could not be reached ${s.fails} time${s.fails === 1 ? '' : 's'} (${s.why})`,
      fix: null,
      whose: null,
    };
  const [end] = soonest(w, now);
  const step = end && stepOf(end.at, now);
  if (!end || step === undefined) return { state: 'good', says: 'in order', fix: null, whose: null };
  const says = `${clockWords[end.clock]} ${step === 0 ? 'ended' : 'ends'} on ${day(end.at)}`;
  if (end.clock === 'app') return { state: 'ending', says, fix: 'enter a new secret or certificate', whose: 'admin' };
  return { state: step === 0 ? 'broken' : 'ending', says, ...mend(c) };
}

/** Everything that ends, the app's too: what a consent lives by. */
export function soonest(w: Watched & { app?: ConnectorApp | undefined }, now: Date): End[] {
  const app: End[] = w.app?.ends && w.connection.grantKind === 'oauth' ? [{ clock: 'app', at: w.app.ends }] : [];
  return [...endsOf(w, now), ...app].sort((a, b) => a.at.getTime() - b.at.getTime());
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
/** As people write it: `2 Dec 2026`. */
export const day = (d: Date): string => `${d.getUTCDate()} ${months[d.getUTCMonth()]} ${d.getUTCFullYear()}`;

/** After so many attempts in vain somebody is told, although it may still go by. */
export const MANY_FAILS = 6;

/** Whether somebody should be told that it failed. Where the app is to blame, that is told once, and not for each connection. */
export const failed = ({ standing: s }: Connection): boolean =>
  s.state === 'reconnect' || (s.state === 'refresh_failed' && s.because === 'later' && s.fails >= MANY_FAILS);

/** Minutes of a day in which looks begin: the last round of a day is at 23:50, and all are to have come by then. */
const MINUTES = 1430;
/** When in a day, in minutes, an account is looked at: spread by its id, so that not all are at once. */
export function minuteOf(id: string): number {
  let h = 2166136261;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 16777619) >>> 0;
  return h % MINUTES;
}
