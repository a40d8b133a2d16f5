import type { z } from 'zod';
import type { Fields } from '#vault/organization-grant.ts';
import type { Account, Person, Settings, VendorAuth } from '#vault/vendor-auth.ts';
import type { BuiltinTool } from './builtin-tool.ts';
import type { Presenting } from './present-credential.ts';
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
  /** How persons consent is not in this manifest: the vendor's MCP server says so itself, and an administrator need register nothing. */
  discovers?: true;
  builtin?: Builtin;
  remote?: Remote;
  /** How a credential stands in a request; absent: as a bearer. */
  present?: Presenting;
  /** A system that may give a credential back in what it answers; it is taken out before anybody reads it. */
  echoes?: true;
  /** It asks for nobody: calls may act as `none`. */
  open?: true;
  /**
   * Whose account a credential is: asked once after a consent or a grant, by the daily canary and by `gatehouse connector check`. The cheapest
   * call that the vendor has.
   */
  whoami(vendor: VendorClient): Promise<Account>;
  /**
   * How the vendor says no, where the status does not tell it all. Absent: the usual members of a JSON body are looked for. Also asked about good
   * answers in JSON of the roles in `errorsInAnswers`, for vendors that say no with 200.
   */
  readError?(answer: ErrorAnswer): VendorError | undefined;
  errorsInAnswers?: readonly string[];
  /**
   * Endings (`.my.salesforce.com`) of hosts that a fact which is an origin may name (`fact:instance_url`), beside the connector's origins. A
   * credential goes nowhere else, whatever the vendor answers.
   */
  factHosts?: Readonly<Record<string, readonly string[]>>;
  /** Why an account is not one that this organization's people may connect (another tenant, a personal account); undefined: it is. */
  foreign?(account: Account, settings: Settings, person: Person | undefined): string | undefined;
  /**
   * When what an administrator gave for an account ends, where the vendor tells that account (secrets of an app registration). Undefined: it does
   * not tell this one, and the date that the administrator entered is what is known.
   */
  givenEnds?(vendor: VendorClient, fields: Fields): Promise<Date | undefined>;
};

/** What a `readError` sees. `body` is undefined where it is no JSON. */
export type ErrorAnswer = { status: number; at: string; headers: Headers; body: unknown };

export type VendorError = {
  /** The vendor's code, in the vendor's spelling. */
  code?: string | undefined;
  /** In the vendor's words or in ours; for the person who called. */
  says?: string | undefined;
  /** `credential`: as 401 means; `throttled`: as 429 means, with or without `afterSeconds`. Absent: what the status means. */
  means?: 'credential' | 'throttled' | undefined;
  afterSeconds?: number | undefined;
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
  /** The same for a connector that is `read_only`, where the vendor has an address that offers reading only. */
  readOnlyUrl?: string;
  /** Why this mode cannot keep what the settings ask for; undefined: it can. A limit that is only written down is worse than none. */
  refuses?(settings: Settings): string | undefined;
  /** What the vendor says of it that an administrator must know (a preview, per person only). */
  note?: string;
};
