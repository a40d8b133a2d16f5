import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { directoryEvents } from './directory.events.ts';
import { lockDirectory, saveDirectory } from './directory.sql.ts';
import type { Directory } from './directory.ts';
import type { DirectorySettings } from './directory-settings.ts';
import { noDirectory } from './no-directory.ts';

/** What of a directory can be changed; what is left out stays. */
export type DirectoryChange = { [K in keyof DirectorySettings]?: DirectorySettings[K] | undefined } & {
  name?: string | undefined;
  state?: Directory['state'] | undefined;
};

/** Changes name, state or treatment of a directory. A paused directory's requests are refused from the next one on; its people stay as they are. */
export const changeDirectory = (ctx: OrgCtx, id: Id<'dir'>, to: DirectoryChange): Promise<Directory> =>
  change(ctx, async (tx) => {
    const before = await lockDirectory(tx, id);
    if (!before) throw noDirectory(id);
    const { name = before.name, state = before.state, ...rest } = to;
    const given = Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== undefined));
    const after: Directory = { ...before, name, state, settings: { ...before.settings, ...given } };
    const different = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);
    const names = [
      ...(name === before.name ? [] : ['name']),
      ...Object.entries(after.settings).flatMap(([k, v]) =>
        different(v, Object.entries(before.settings).find(([n]) => n === k)?.[1]) ? [k] : [],
      ),
    ];
    const events: AuditEvent[] = [
      ...(names.length > 0 ? [event(directoryEvents, 'directory.changed', { directory: id, settings: names })] : []),
      ...(state === before.state
        ? []
        : [event(directoryEvents, state === 'paused' ? 'directory.paused' : 'directory.resumed', { directory: id })]),
    ];
    const [first, ...others] = events;
    if (!first) return { value: before, unchanged: true };
    await saveDirectory(tx, after);
    return { value: after, events: [first, ...others] };
  });
