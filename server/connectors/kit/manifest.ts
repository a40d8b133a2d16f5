import type { z } from 'zod';
import type { Account, Person, Settings, VendorAuth } from '#vault/vendor-auth.ts';
import type { BuiltinTool } from './builtin-tool.ts';
import type { VendorClient } from './vendor-client.ts';

/** `builtin`: our tools on the vendor's REST API. `remote`: governed pass-through to an MCP server. */
export const modes = ['builtin', 'remote'] as const;
export type Mode = (typeof modes)[number];

/** A kind of system that Gatehouse knows: everything that is particular about a vendor, as data and as few functions as possible. */
export type Manifest = VendorAuth & {
  /** As the vendor writes it. */
  name: string;
  /** One sentence for the catalogue. */
  says: string;
  /** What an administrator says about this connector that is no secret: tenant, domain, repositories. Strict. */
  settings: z.ZodType<Settings>;
  builtin?: Builtin;
  remote?: Remote;
  /**
   * Whose account a credential is: asked once after a consent or a grant, by the daily canary and by `gatehouse connector check`. The cheapest
   * call that the vendor has.
   */
  whoami(vendor: VendorClient): Promise<Account>;
  /** Why an account is not one that this organization's people may connect (another tenant, a personal account); undefined: it is. */
  foreign?(account: Account, settings: Settings, person: Person | undefined): string | undefined;
};

export type Builtin = {
  /** Counts up when a tool's meaning changes; part of `serverInfo`. */
  version: string;
  instructions?: string;
  tools: readonly BuiltinTool[];
};

/** The vendor's own MCP server. Its tools are reviewed like anybody's. */
export type Remote = {
  /** Complete URL, over origins and settings. */
  url: string;
  /** What the vendor says of it that an administrator must know (a preview, per person only). */
  note?: string;
};
