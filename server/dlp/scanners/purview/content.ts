import { randomUUID } from 'node:crypto';
import type { Inspected } from '../../engine.ts';
import type { Asking } from '../said.ts';
import { toldText } from '../told-text.ts';
import { applicationOf } from './purview-scopes.ts';

/** Larger text goes as several entries, so that one of them fits into a batch with its wrapping (2 MB). */
export const ENTRY_BYTES = 900_000;
/** The limits of one batch. */
export const MAX_BATCH_BYTES = 2_000_000;
export const MAX_BATCH_ENTRIES = 64;

export type ContentToProcess = {
  contentEntries: readonly unknown[];
  activityMetadata: { activity: string };
  deviceMetadata: {
    operatingSystemSpecifications: { operatingSystemPlatform: string; operatingSystemVersion: string };
  };
  protectedAppMetadata: unknown;
  integratedAppMetadata: { name: string; version: string };
};

/** What is told, whole: its text, in as many entries as it needs. Nothing is truncated. */
export function contentToProcess(
  a: Asking<'purview'>,
  c: Inspected,
  activity: string,
  correlationId: string,
): ContentToProcess {
  const at = a.now.toISOString();
  const name = c.tool ?? c.phase;
  return {
    contentEntries: pieces(toldText(c.content).text).map((data, sequenceNumber) => ({
      '@odata.type': 'microsoft.graph.processConversationMetadata',
      identifier: randomUUID(),
      content: { '@odata.type': 'microsoft.graph.textContent', data },
      name,
      correlationId,
      sequenceNumber,
      isTruncated: false,
      createdDateTime: at,
      modifiedDateTime: at,
    })),
    activityMetadata: { activity },
    // Nothing is known of the device that is worth claiming.
    deviceMetadata: {
      operatingSystemSpecifications: { operatingSystemPlatform: 'Unknown', operatingSystemVersion: 'Unknown' },
    },
    protectedAppMetadata: {
      name: 'Gatehouse',
      version: '1',
      applicationLocation: { '@odata.type': 'microsoft.graph.policyLocationApplication', value: applicationOf(a) },
    },
    integratedAppMetadata: { name: 'Gatehouse', version: '1' },
  };
}

/** Longest thing that a policy looks for across a cut: pieces overlap by this, so that nothing is lost between them. */
const OVERLAP_CHARS = 512;
/** JSON may escape a character in six bytes; UTF-8 takes at most three for a UTF-16 unit. */
const PIECE_CHARS = Math.floor(ENTRY_BYTES / 6);

function pieces(text: string): string[] {
  const all: string[] = [];
  for (let from = 0; from === 0 || from + OVERLAP_CHARS < text.length; from += PIECE_CHARS - OVERLAP_CHARS)
    all.push(text.slice(from, from + PIECE_CHARS).toWellFormed());
  return all;
}
