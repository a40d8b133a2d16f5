import { z } from 'zod';
import type { EgressRules } from '#kernel/egress.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Aad } from '#kernel/seal.ts';
import type { MemberRole } from '#org/member.ts';
import { dlpActions, type Phase } from '../verdict.ts';

/** Whose protocol a scanner speaks. */
export const scannerKinds = ['webhook', 'purview', 'symantec', 'forcepoint'] as const;
export type ScannerKind = (typeof scannerKinds)[number];

/** The published budget of a verdict (docs/guides/dlp-scanners.md). */
export const MAX_TIMEOUT_MS = 10_000;
export const DEFAULT_TIMEOUT_MS = 5_000;

const url = z.string().max(2000);
/** What a vendor calls its actions, where it differs from what we know of. An action that nobody has mapped makes a verdict unreadable. */
const actions = z
  .record(z.string().min(1).max(100), z.enum(dlpActions))
  .refine((a) => Object.keys(a).length <= 50, 'at most 50 actions')
  .default({});

/** Where a scanner is and how it is spoken to, without secrets. */
export const ScannerConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('webhook'),
    url,
    /** `published`: every phase is told as a prompt frame with blocks that every server knows. `extended`: the phase has its own type, and more actions are taken. */
    frames: z.enum(['published', 'extended']).default('published'),
  }),
  z.strictObject({
    kind: z.literal('purview'),
    tenant: z.string().regex(/^[A-Za-z0-9.-]{1,100}$/),
    clientId: z.string().regex(/^[0-9A-Fa-f-]{36}$/),
    /** The application that policies in Purview name; the client itself unless said. */
    application: z
      .string()
      .regex(/^[0-9A-Fa-f-]{36}$/)
      .optional(),
    login: url.default('https://login.microsoftonline.com'),
    graph: url.default('https://graph.microsoft.com'),
  }),
  z.strictObject({
    kind: z.literal('symantec'),
    url,
    /** Ids of application detection configurations: which policies look. */
    filters: z.array(z.guid()).max(10).default([]),
    application: z.string().min(1).max(100).default('Gatehouse'),
    /** Below `url`; `{requestId}` is replaced. */
    ackPath: z
      .string()
      .max(300)
      .regex(/^\/[\x21-\x7e]*$/)
      .default('/v2.0/DetectionRequests/{requestId}/ActionAcknowledgements'),
    actions,
  }),
  z.strictObject({
    kind: z.literal('forcepoint'),
    url,
    channel: z.enum(['HTTP', 'HTTPS', 'CASB_REAL_TIME']).default('HTTP'),
    actions,
  }),
]);
export type ScannerConfig = z.infer<typeof ScannerConfig>;
export type ConfigOf<K extends ScannerKind> = Extract<ScannerConfig, { kind: K }>;

/** Null: by what the content does. */
export type FailMode = 'open' | 'closed' | null;

/** Two secrets at once during a rotation: what is signed is signed with both. */
export type SealedSecrets = {
  generation: number;
  current: { sealed: Buffer; since: Date } | undefined;
  previous: { sealed: Buffer; until: Date } | undefined;
};

export type Scanner = {
  id: Id<'scn'>;
  name: string;
  config: ScannerConfig;
  /** Lets the hosts of this scanner's own addresses be inside the network. */
  allowPrivate: boolean;
  phases: readonly Phase[];
  mode: 'shadow' | 'enforce';
  percentage: number;
  failMode: FailMode;
  timeoutMs: number;
  excludedRoles: readonly MemberRole[];
  excludedGroups: readonly Id<'grp'>[];
  state: 'on' | 'off';
  secrets: SealedSecrets;
  created: Date;
};

/** The addresses that a scanner is reached at. */
export function scannerUrls(c: ScannerConfig): string[] {
  return c.kind === 'purview' ? [c.login, c.graph] : [c.url];
}

/** What egress may do for this scanner: its own hosts inside the network where an administrator said so, and nothing else there. */
export const egressRules = (s: Pick<Scanner, 'config' | 'allowPrivate'>): EgressRules =>
  s.allowPrivate ? { allowPrivate: scannerUrls(s.config).flatMap((u) => URL.parse(u)?.host ?? []) } : {};

/** Where a sealed secret belongs; see kernel/seal.ts. */
export const secretAad = (org: Id<'org'>, scanner: Id<'scn'>, generation: number): Aad => ({
  table: 'dlp_scanner',
  scope: org,
  row: scanner,
  generation,
});

/**
 * Why a kind is beta, if it is: nobody has run it against the real product. It leaves this list in the change that says on which version it
 * was run; until then answers and documents say so.
 */
const beta: Partial<Record<ScannerKind, string>> = {
  symantec:
    'written from the published outline of the Detection REST API 2.0 and from clients in the open; never run against a real detection server, and where the acknowledgement goes is a guess that `ackPath` corrects',
  forcepoint:
    'written from the published Protector Inspection API 10.x and from a client in the open; never run against a real protector',
  purview: 'written from the published Microsoft Graph reference; never run against a real tenant',
};
export const betaReason = (kind: ScannerKind): string | undefined => beta[kind];

export const noScanner = (id: string): Problem =>
  new Problem('missing', 'dlp/no-scanner', {
    says: `there is no scanner ${id} in this organization`,
    fix: 'list the scanners for the ids there are',
  });
