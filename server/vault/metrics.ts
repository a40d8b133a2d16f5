import type { Metrics } from '#kernel/telemetry.ts';

/** How the renewal of a connection ended. `fenced`: an answer came too late to be stored. */
export type RenewalEnd = 'refreshed' | 'reconnect' | 'lost_rotation' | 'app' | 'later' | 'fenced';

export type VaultMetrics = { renewed(end: RenewalEnd): void };

/** Figures of the vault; labels are endings and nothing of a person or a vendor. */
export function vaultMetrics(metrics: Metrics | undefined): VaultMetrics {
  const renewals = metrics?.counter('gatehouse_vault_renewals_total', 'Renewals of connections by how they ended.', [
    'end',
  ]);
  return { renewed: (end) => renewals?.inc({ end }) };
}
