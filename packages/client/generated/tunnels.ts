// Written by `npm run gen` from the OpenAPI document. Do not edit.
import { op } from '../call.ts';

/** Lists the tunnels of the organization, newest first, revoked ones too; q searches name and destinations. Needs connector.manage. */
export const list = op<{ org: string; query?: { q?: string | undefined; limit?: number | undefined; cursor?: string | undefined } }, { items: ({ id: string; name: string; destinations: (string)[]; state: "online" | "offline" | "revoked"; agentsOnline: number; lastSeen: string | null; created: string; revoked: string | null; secretRotated: string; olderSecretUntil: string | null })[]; next: string | null }>('tunnels.list', 'GET', '/api/orgs/{org}/tunnels');

/** Makes a tunnel into a network. The secret for its agents is in this answer and nowhere else. Needs connector.manage. */
export const create = op<{ org: string; body: { name: string; destinations: (string)[] } }, { id: string; name: string; destinations: (string)[]; state: "online" | "offline" | "revoked"; agentsOnline: number; lastSeen: string | null; created: string; revoked: string | null; secretRotated: string; olderSecretUntil: string | null; secret: string }>('tunnels.create', 'POST', '/api/orgs/{org}/tunnels');

/** Shows a tunnel, its agents that are connected now, and the connectors that are reached through it. Needs connector.manage. */
export const get = op<{ org: string; tun: string }, { id: string; name: string; destinations: (string)[]; state: "online" | "offline" | "revoked"; agentsOnline: number; lastSeen: string | null; created: string; revoked: string | null; secretRotated: string; olderSecretUntil: string | null; agents: ({ id: string; name: string; version: string; allow: (string)[]; address: string; joined: string; olderSecret: boolean; refuses: (string)[] })[]; connectors: ({ id: string; slug: string; url: string })[] }>('tunnels.get', 'GET', '/api/orgs/{org}/tunnels/{tun}');

/** Changes the name or the destinations of a tunnel; a destination that a connector needs is not taken away. Needs connector.manage. */
export const edit = op<{ org: string; tun: string; body: { name?: string | undefined; destinations?: (string)[] | undefined } }, { id: string; name: string; destinations: (string)[]; state: "online" | "offline" | "revoked"; agentsOnline: number; lastSeen: string | null; created: string; revoked: string | null; secretRotated: string; olderSecretUntil: string | null }>('tunnels.edit', 'PATCH', '/api/orgs/{org}/tunnels/{tun}');

/** Gives a tunnel a new secret, shown in this answer only. The one before is good for overlapHours more (24 where nothing is said; 0: no more). Needs connector.manage. */
export const rotateSecret = op<{ org: string; tun: string; body: { overlapHours?: number | undefined } }, { id: string; name: string; destinations: (string)[]; state: "online" | "offline" | "revoked"; agentsOnline: number; lastSeen: string | null; created: string; revoked: string | null; secretRotated: string; olderSecretUntil: string | null; secret: string }>('tunnels.rotate_secret', 'POST', '/api/orgs/{org}/tunnels/{tun}/secret');

/** Ends a tunnel for good: its agents are cut off at every node within a second, and with them what is under way. Needs connector.manage. */
export const revoke = op<{ org: string; tun: string }, { id: string; name: string; destinations: (string)[]; state: "online" | "offline" | "revoked"; agentsOnline: number; lastSeen: string | null; created: string; revoked: string | null; secretRotated: string; olderSecretUntil: string | null }>('tunnels.revoke', 'POST', '/api/orgs/{org}/tunnels/{tun}/revoke');
