import type { Settings } from '#vault/vendor-auth.ts';

/**
 * A vendor's REST API as one connection may use it. The credential is put in at the last moment by the vault and goes to the connector's origins
 * only; a 401 renews it once and asks again; 429 and the vendor's own limits are kept to within the call's time; nothing that writes is sent
 * twice once a byte of it may have been acted on.
 */
export interface VendorClient {
  /**
   * One request. Throws `VendorRefusal` for an answer of 400 and above that is not among `takes`, and a Problem where nothing was reached.
   */
  send(r: VendorRequest): Promise<VendorAnswer>;
  /** What came with the token that the API needs: `instance_url`, `base_uri`, account ids. */
  readonly facts: Readonly<Record<string, string>>;
  /** What the credential may do, as the vendor said. */
  readonly scopes: readonly string[];
  readonly settings: Settings;
  /** A client whose credential can do less, where the account can be narrowed (see OrganizationGrant.mint); else the same client. */
  narrowed(to: Readonly<Record<string, unknown>>): VendorClient;
}

export type VendorRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A role of the manifest's origins; default `api`. A fact that is an origin (`instance_url`) is named with `fact:instance_url`. */
  at?: string;
  /** Begins with a slash. Segments from arguments go through `segment` (vendor-path.ts) and through nothing else. */
  path: string;
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  headers?: Readonly<Record<string, string>>;
  /** At most one of these. */
  json?: unknown;
  form?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  /** Statuses of 400 and above that are an answer here. */
  takes?: readonly number[];
  /** Largest answer; above it the answer ends with `too_large`. Default 4 MiB. */
  maxBytes?: number;
  /** Whether asking again changes nothing at the vendor. Default: GET only. */
  safe?: boolean;
  /** Follows one redirect to a download address that the vendor made for this request, without the credential. */
  followDownload?: true;
};

export type VendorAnswer = {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** Parsed strictly; throws `VendorRefusal` where it is no JSON. */
  json(): unknown;
};

/** A vendor said no, or something that is no answer. `says` is for the person who called, in the vendor's terms and without anything secret. */
export class VendorRefusal extends Error {
  readonly status: number;
  /** The vendor's own code, e.g. `channel_not_found`, shortened to what is safe to show. */
  readonly code: string | undefined;
  readonly says: string;
  constructor(status: number, code: string | undefined, says: string) {
    super(says);
    this.name = 'VendorRefusal';
    this.status = status;
    this.code = code;
    this.says = says;
  }
}
