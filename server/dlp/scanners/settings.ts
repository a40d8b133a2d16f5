import { checkedUrl } from '#kernel/egress.ts';
import { Problem } from '#kernel/problem.ts';
import { egressRules, scannerUrls, type Scanner, type ScannerConfig } from './scanner.ts';

/** What the log says of a scanner's settings: hosts, never whole addresses (a path may be a secret), and no name that a person chose. */
export const settingsOf = (s: Scanner) => ({
  scanner: s.id,
  kind: s.config.kind,
  hosts: scannerUrls(s.config).map((u) => (URL.parse(u)?.host ?? '?').slice(0, 300)),
  private: s.allowPrivate,
  phases: [...s.phases],
  mode: s.mode,
  percentage: s.percentage,
  failMode: s.failMode ?? ('by_content' as const),
  excludedRoles: [...s.excludedRoles],
  excludedGroups: [...s.excludedGroups],
  state: s.state,
});

/** Refuses addresses that egress would refuse later: the administrator who typed them is here now. */
export function checkAddresses(s: { config: ScannerConfig; allowPrivate: boolean }): void {
  for (const url of scannerUrls(s.config)) checkedUrl(url, egressRules(s));
}

export const nameTaken = (name: string): Problem =>
  new Problem('conflict', 'dlp/scanner-name-taken', {
    says: `there is a scanner called ${name} in this organization already`,
    fix: 'choose another name',
  });

export const meanwhile = (): Problem =>
  new Problem('stale', 'dlp/scanner-changed-meanwhile', {
    says: 'somebody else has changed this scanner at the same time',
    fix: 'look at it and decide again',
  });
