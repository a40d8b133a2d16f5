import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';

/** Log lines are for operators, audit events for auditors; neither stands in for the other. Messages are constants, facts are fields. */
export type Log = Logger;

/** Fields that are never written, wherever they appear. A second line of defence: nothing should pass them in the first place. */
const secrets = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'client_secret',
  'secret',
  'code',
  'code_verifier',
  'assertion',
];

export function makeLog(level: string, to?: DestinationStream): Log {
  const paths = secrets.flatMap((s) => [`["${s}"]`, `*["${s}"]`, `*.*["${s}"]`]);
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths, censor: '[redacted]' },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return to ? pino(options, to) : pino(options);
}

export const silentLog: Log = pino({ level: 'silent' });
