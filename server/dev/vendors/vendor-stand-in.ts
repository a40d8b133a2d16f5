import type { Settings } from '#vault/vendor-auth.ts';
import type { Fields } from '#vault/organization-grant.ts';

/**
 * A vendor's cloud on the loopback address: it speaks the documented wire and refuses what the vendor would refuse. Each has a world of its own
 * (people, files, channels) that tests may look at and change, as the vendor's own users would.
 */
export type VendorStandIn = {
  /** What stands in place of the manifest's origins. */
  origins: Readonly<Record<string, string>>;
  /** Settings with which a connector fits this world. */
  settings: Settings;
  /** The app that an administrator has registered there; only registered redirect addresses are taken. */
  app: { clientId: string; clientSecret: string };
  registerRedirect(uri: string): void;
  /** What an administrator enters for each kind of organization account; `null`: the kind takes none. */
  accounts: Readonly<Record<string, Fields>>;
  /** Whose browser visits the consent page next, and what they do there. */
  visitor: {
    /** An account of the stand-in's world: `ada` is one of the organization's, `mallory` of another tenant, `pat` a personal account. */
    account: string;
    answer: 'allow' | 'deny';
    /** Scopes that the person leaves out, where the vendor lets people choose. */
    without?: readonly string[];
  };
  /** The vendor's clock goes on: access tokens end at their documented time, refresh tokens at theirs. */
  advance(seconds: number): void;
  /** An account ends its grants at the vendor, or an administrator there does. */
  endGrants(account: string): void;
  /** What to answer instead, for requests that it says something about: faults, throttling, broken answers. */
  fault: ((r: SeenRequest) => Fault | undefined) | undefined;
  /** Every request since the start, with what came in it; credentials too, so that tests can say who saw which. */
  seen: readonly SeenRequest[];
  close(): Promise<void>;
};

export type SeenRequest = {
  method: string;
  /** Role of the origin that was asked. */
  at: string;
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
};

/** `drop`: the connection ends after the request was taken; `hang`: nothing ever comes. */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: unknown; delayMs?: number }
  | { drop: true }
  | { hang: true };
