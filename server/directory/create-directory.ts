import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { directoryEvents } from './directory.events.ts';
import { insertDirectory } from './directory.sql.ts';
import type { Directory } from './directory.ts';
import { defaultSettings } from './directory-settings.ts';

/** Connects a directory whose people become members of the present org. It can do nothing until it has a token. */
export async function createDirectory(ctx: OrgCtx, name: string): Promise<Directory> {
  const directory: Directory = {
    id: newId('dir', ctx.now.getTime()),
    org: ctx.org,
    name,
    state: 'active',
    created: ctx.now,
    settings: defaultSettings,
  };
  return change(ctx, async (tx) => {
    await insertDirectory(tx, directory);
    return { value: directory, events: [event(directoryEvents, 'directory.created', { directory: directory.id })] };
  });
}
