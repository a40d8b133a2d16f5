import type { OrgCtx } from '#kernel/ctx.ts';
import type { Admission } from './admission.ts';
import type { Directory, ScimCtx } from './directory.ts';
import { resourcesOf } from './directory-settings.ts';
import { newCall, type ScimCall } from './scim-journal.ts';

/** The Ctx of an administrator who does what otherwise a directory's request does. The log names the administrator. */
export const asDirectory = (
  ctx: OrgCtx,
  d: Directory,
  admission: Admission,
  call: ScimCall = newCall({ method: 'POST', path: '/', bytes: 0, note: () => undefined }),
): ScimCtx => ({
  ...ctx,
  directory: d.id,
  settings: d.settings,
  resources: resourcesOf(d.settings.extensions),
  admission,
  call,
});
