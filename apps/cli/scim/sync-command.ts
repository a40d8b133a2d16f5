import { desiredOf } from './desired.ts';
import { EXIT } from './exit.ts';
import { readTarget } from './read-target.ts';
import { text } from './scim-options.ts';
import type { ScimCommand } from './run-scim.ts';
import { writeWhole } from './write-file.ts';

/** Shows what a target has. */
export const syncCommand: ScimCommand = {
  help: `gatehouse scim sync: list the users, groups and memberships of a SCIM server. Changes nothing.
  --write-desired FILE  write what is there as a desired state, to be edited and given to plan`,
  options: { 'write-desired': { type: 'string' } },
  prepare(v) {
    const file = text(v, 'write-desired');
    return async ({ target, progress, answer, notes }) => {
      const s = await readTarget(target, progress);
      if (file !== undefined) writeWhole(file, `${JSON.stringify(desiredOf(s, target.profile.softDelete), null, 2)}\n`);
      const names = new Map(s.users.map((u) => [u.id, u.userName]));
      const off = s.users.filter((u) => !u.active).length;
      const memberships = s.groups.reduce((n, g) => n + (g.members?.length ?? 0), 0);
      answer(
        [
          target.base,
          `${s.users.length} users${off > 0 ? ` (${off} switched off)` : ''}, ${s.groups.length} groups, ${memberships} memberships`,
          ...s.groups.map((g) => `  ${g.displayName}: ${g.members?.length ?? 0}`),
          ...notes.map((n) => `note: ${n}`),
          ...s.warnings.map((w) => `warning: ${w}`),
          ...(file === undefined ? [] : [`written: ${file}`]),
        ],
        {
          ok: true,
          base: target.base,
          profile: target.profile,
          notes,
          warnings: s.warnings,
          users: s.users,
          groups: s.groups.map((g) => ({
            ...g,
            members: g.members?.map((m) => ({ ...m, userName: names.get(m.id) ?? null })),
          })),
        },
      );
      return EXIT.ok;
    };
  },
};
