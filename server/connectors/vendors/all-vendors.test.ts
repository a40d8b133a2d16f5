import assert from 'node:assert/strict';
import { test } from 'node:test';
import { misplaced } from '../argument-places.ts';
import { definitionOf } from '../kit/tool-definition.ts';
import { scanDefinition } from '../scan/scan-definition.ts';
import { seen } from '../tool.ts';
import { actsAsOf, modesOf, schemaOf } from '../vendor-choice.ts';
import { vendors } from './all-vendors.ts';

test('every type is there once and in order', () => {
  const types = vendors.map((v) => v.type);
  assert.deepEqual(types, [...new Set(types)].sort());
});

/** What arguments of these names mean to a rule, whatever the vendor calls its things. */
const told =
  /^(?:path|file_id|item|drive|site|folder|folder_id|to_folder_id|shared_drive_id|channel|repository|to|cc|bcc|recipients|attendees|name|new_name|title|subject|body|text|markdown|message)$/;
/** These are ids of mail and words of a filter, which no rule is about. */
const untold = /^outlook\/(?:search_messages|read_message|get_attachment)$|^github\/search_code$/;

for (const v of vendors) {
  test(`${v.type} can be added: it has a mode, an account to act as, and settings and accounts that a form can ask for`, () => {
    assert.ok(modesOf(v).length > 0);
    assert.ok(actsAsOf(v).length > 0);
    for (const schema of [v.settings, ...v.organization.map((g) => g.fields)])
      assert.equal(schemaOf(schema)['additionalProperties'], false, 'strict');
    assert.equal(new Set(v.organization.map((g) => g.kind)).size, v.organization.length);
    for (const origin of Object.values(v.origins)) assert.match(origin, /^(https:\/\/|\{)[^?#]*[^/]$/);
  });
  for (const t of v.builtin?.tools ?? [])
    test(`${v.type}/${t.name} is a definition that would pass its own review`, () => {
      const d = definitionOf(t);
      assert.ok(!('refused' in seen(d)), t.name);
      assert.deepEqual(misplaced(t.projection, d.inputSchema), []);
      assert.deepEqual(scanDefinition(d), []);
      assert.match(t.name, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      if (!untold.test(`${v.type}/${t.name}`))
        for (const name of Object.keys('shape' in t.input ? t.input.shape : {}).filter((n) => told.test(n)))
          assert.ok(
            t.projection.some((p) => p.at === `/${name}` || p.at.startsWith(`/${name}/*`)),
            `rules and approvers do not see ${name}`,
          );
      if (t.class === 'read') assert.equal(t.outward, false, 'what carries content out is no reading');
    });
  test(`${v.type} has no tool twice`, () => {
    const names = (v.builtin?.tools ?? []).map((t) => t.name);
    assert.deepEqual(names, [...new Set(names)]);
  });
}

test('names and topics that outsiders can have given bring untrusted text as much as what they wrote', () => {
  for (const name of [
    // Of channels shared with another organization, and of strangers in them.
    'slack/list_channels',
    'slack/user_info',
    'google-drive/get_metadata',
    'onedrive/get_item',
    // Of a pull request from a fork, whose commit is a ref in this repository.
    'github/list_tree',
  ]) {
    const tool = vendors.flatMap((v) => (v.builtin?.tools ?? []).filter((t) => `${v.type}/${t.name}` === name));
    assert.deepEqual(
      tool.map((t) => t.brings.toSorted()),
      [['private', 'untrusted']],
      name,
    );
  }
});
