import type { Inspected } from '../engine.ts';
import type { Credentials } from './credentials.ts';
import type { Deadline } from './exchange.ts';
import { askForcepoint } from './forcepoint/ask-forcepoint.ts';
import { askPurview } from './purview/ask-purview.ts';
import type { Said, Asking, Remembering } from './said.ts';
import type { ScannerConfig, ScannerKind } from './scanner.ts';
import { askSymantec } from './symantec/ask-symantec.ts';
import { askWebhook } from './webhook/ask-webhook.ts';

export type AskingAny = Omit<Asking<ScannerKind>, 'config'> & { config: ScannerConfig };

/** Asks a scanner of any kind. Throws a ScanFailure when there is no verdict. */
export function askScanner(a: AskingAny, c: Inspected, until: Deadline, memory: Remembering): Promise<Said> {
  const { config } = a;
  // Credentials were parsed for the kind of the row that they are sealed in.
  const of = <K extends ScannerKind>(kind: K, at: Extract<ScannerConfig, { kind: K }>): Asking<K> => ({
    ...a,
    config: at,
    credentials: a.credentials as { current: Credentials[K]; previous: Credentials[K] | undefined },
  });
  switch (config.kind) {
    case 'webhook':
      return askWebhook(of('webhook', config), c, until);
    case 'purview':
      return askPurview(of('purview', config), c, until, memory);
    case 'symantec':
      return askSymantec(of('symantec', config), c, until, memory);
    case 'forcepoint':
      return askForcepoint(of('forcepoint', config), c, until);
  }
}
