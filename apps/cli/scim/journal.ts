import { appendFileSync, openSync } from 'node:fs';
import { usage } from './exit.ts';
import type { Secret } from '@gatehouse/server/kernel/secret.ts';

/** One request and how it ended. */
export type Entry = {
  method: string;
  url: string;
  attempt: number;
  ms: number;
  status: number | undefined;
  /** Present where no answer came. */
  error?: string | undefined;
  sent?: unknown;
  answered?: unknown;
};

export type Journal = { write(entry: Entry): void };

export const noJournal: Journal = { write: () => undefined };

const hidden = /^(password|token|secret|authorization|client_?secret|api_?key|credential)s?$/i;

/** A value without secrets: neither what is called one nor the token itself, wherever a target may repeat it. */
export function redacted(v: unknown, token: string): unknown {
  if (typeof v === 'string') return token === '' ? v : v.replaceAll(token, '[redacted]');
  if (Array.isArray(v)) return v.map((e: unknown) => redacted(e, token));
  if (typeof v !== 'object' || v === null) return v;
  return Object.fromEntries(
    Object.entries(v).map(([k, inner]) => [redacted(k, token), hidden.test(k) ? '[redacted]' : redacted(inner, token)]),
  );
}

/** Longest answer that is written down, in characters of JSON; above it only the length is. */
const LONGEST = 20_000;

/** A file with one line of JSON per request, for whoever must explain afterwards what was sent. Only its owner may read it: it has names. */
export function openJournal(file: string, token: Secret, now: () => number): Journal {
  let fd: number;
  try {
    fd = openSync(file, 'a', 0o600);
  } catch (e) {
    throw usage(`the journal ${file} cannot be written: ${e instanceof Error ? e.message : 'unknown'}`);
  }
  return {
    write(entry) {
      const clean = redacted({ at: new Date(now()).toISOString(), ...entry }, token.reveal());
      const line = JSON.stringify(clean, (key, v: unknown) => {
        if (key !== 'sent' && key !== 'answered') return v;
        const length = v === undefined ? 0 : JSON.stringify(v).length;
        return length > LONGEST ? `[${length} characters]` : v;
      });
      appendFileSync(fd, `${line}\n`);
    },
  };
}
