import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permissions } from '#kernel/permission.ts';
import { memberRoles } from './member.ts';
import { can, permissionsOf, rolesWith } from './roles.ts';

test('a higher role can do everything that a lower one can', () => {
  for (const [i, role] of memberRoles.entries())
    for (const lower of memberRoles.slice(i + 1))
      for (const p of permissionsOf(lower)) assert.ok(can(role, p), `${role} lacks ${p} of ${lower}`);
});

test('what belongs to the parent is for owners alone', () => {
  for (const p of ['directory.manage', 'sso.manage', 'owner.manage', 'org.manage'] as const)
    assert.deepEqual(rolesWith(p), ['primary_owner', 'owner']);
});

test('no role stands in for the token of a directory or of an agent', () => {
  assert.deepEqual([...rolesWith('scim'), ...rolesWith('agent')], []);
});

test('every other permission is in somebody’s reach', () => {
  for (const p of permissions) if (p !== 'scim' && p !== 'agent') assert.ok(rolesWith(p).length > 0, p);
});
