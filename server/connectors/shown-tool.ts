import { z } from 'zod';
import { ArgumentPlace } from '#policy/argument.ts';
import { bringsOf, brought, isOutward, toolClasses } from '#policy/schema.ts';
import type { Elsewhere } from './scan/references.ts';
import { scanPinned } from './scan/scan-definition.ts';
import { severities } from './scan/scanner.ts';
import { toolStates, type Said, type Tool } from './tool.ts';

export const FindingShown = z.object({
  id: z.string(),
  severity: z.enum(severities),
  /** JSON Pointer into the definition. */
  at: z.string(),
  /** Every character of it is visible. */
  excerpt: z.string(),
  says: z.string(),
  why: z.string(),
  count: z.number(),
});

export const SaidShown = z.object({ by: z.string(), at: z.string() }).nullable();
export const shownSaid = (s: Said | undefined): z.infer<typeof SaidShown> =>
  s ? { by: s.by, at: s.at.toISOString() } : null;

export const ToolShown = z.object({
  name: z.string(),
  state: z.enum(toolStates),
  class: z.enum(toolClasses).nullable(),
  /** Send this one back with the review. */
  pin: z.string(),
  reviewedPin: z.string().nullable(),
  reviewed: SaidShown,
  /** Somebody looked at the definition as it is now and keeps it closed. */
  closed: SaidShown,
  definition: z.unknown(),
  /** For a comparison, where the definition is not the reviewed one. */
  reviewedDefinition: z.unknown(),
  /** What rules and approvers see of the arguments, as the review says. */
  projection: z.array(ArgumentPlace),
  /** What arguments must fit beside the upstream's own schema, as the review says. */
  schema: z.unknown(),
  /** What its answers bring into a session and whether it can carry content out; `said`: by the reviewer, else by its class. */
  flow: z.object({ brings: z.array(z.enum(brought)), outward: z.boolean(), said: z.boolean() }).nullable(),
  findings: z.array(FindingShown),
  firstSeen: z.string(),
  /** When the definition as it is now was first seen. */
  since: z.string(),
});

function flowOf(t: Tool): z.infer<typeof ToolShown>['flow'] {
  if (!t.class) return null;
  const { brings, outward, class: klass } = t;
  const said = brings !== undefined && outward !== undefined;
  return { brings: [...bringsOf({ class: klass, brings })], outward: isOutward({ class: klass, outward }), said };
}

/** A tool as a reviewer sees it in a list. */
export const shownTool = (t: Tool, elsewhere: Elsewhere): z.infer<typeof ToolShown> => {
  const definition: unknown = JSON.parse(t.definition);
  return {
    name: t.name,
    state: t.state,
    class: t.class ?? null,
    pin: t.pin,
    reviewedPin: t.reviewedPin ?? null,
    reviewed: shownSaid(t.reviewed),
    closed: shownSaid(t.closed),
    definition,
    reviewedDefinition:
      t.reviewedDefinition === undefined || t.state === 'reviewed' ? null : JSON.parse(t.reviewedDefinition),
    projection: [...t.projection],
    schema: t.stricter === undefined ? null : JSON.parse(t.stricter),
    flow: flowOf(t),
    findings: scanPinned(t, elsewhere),
    firstSeen: t.firstSeen.toISOString(),
    since: t.since.toISOString(),
  };
};
