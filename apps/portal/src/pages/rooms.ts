import { approvalsPages } from './approvals/pages.ts';
import { auditPages } from './audit/pages.ts';
import { connectorsPages } from './connectors/pages.ts';
import { directoryPages } from './directory/pages.ts';
import { dlpPages } from './dlp/pages.ts';
import { identityPages } from './identity/pages.ts';
import { minePages } from './mine/pages.ts';
import { inNav, type PageEntry, type Room } from './page.ts';
import { policyPages } from './policy/pages.ts';
import { startPages } from './start/pages.ts';

/** The rooms as they stand in the column. What later rooms add takes its place beside these. */
export const rooms = {
  start: { name: 'Start', pages: startPages },
  identity: { name: 'Identity', pages: identityPages },
  directory: { name: 'Directory', pages: directoryPages },
  connectors: { name: 'Connectors', pages: connectorsPages },
  policy: { name: 'Policy', pages: policyPages },
  approvals: { name: 'Approvals', pages: approvalsPages },
  dlp: { name: 'DLP', pages: dlpPages },
  audit: { name: 'Audit', pages: auditPages },
  mine: { name: 'Mine', pages: minePages },
} as const satisfies Record<string, Room>;

export type RoomName = keyof typeof rooms;
export const roomNames = Object.keys(rooms) as readonly RoomName[];

export const allPages: readonly PageEntry[] = Object.values(rooms).flatMap((r): readonly PageEntry[] => r.pages);

/** The pages of a room that the rooms column shows to somebody. */
export const navPages = (room: RoomName, may: (permission: string) => { ok: boolean }): readonly PageEntry[] =>
  rooms[room].pages.filter((p) => inNav(p) && may(p.can).ok);
