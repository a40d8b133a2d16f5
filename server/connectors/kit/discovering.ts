import { z } from 'zod';
import type { Manifest } from './manifest.ts';
import { VendorRefusal } from './vendor-client.ts';

/** A vendor's own MCP server that says itself how people are to be authorized at (../discovery): what is left to know is where it is. */
export const discovering = (
  v: Pick<Manifest, 'type' | 'name' | 'says'> & { at: string; path: string; note: string },
): Manifest => ({
  type: v.type,
  name: v.name,
  says: v.says,
  discovers: true,
  origins: { mcp: v.at },
  settings: z.strictObject({}),
  remote: { url: `{mcp}${v.path}`, note: v.note },
  organization: [],
  // What is known once it was asked says whose account it is (../discovery/discovered-manifest.ts).
  whoami: () =>
    Promise.reject(new VendorRefusal(0, 'not_asked', `${v.name} was not asked yet how to be authorized at`)),
});
