import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';
import { oktaCreate } from '#dev/scim-shapes.ts';

/** Okta's own SPEC test as Okta publishes it for Runscope; this file is only the runner of the parts that it uses. */
const Suite = z.object({
  steps: z.array(
    z.object({
      step_type: z.string(),
      note: z.string().default(''),
      method: z.string().default('GET'),
      url: z.string().default(''),
      body: z.string().optional(),
      headers: z.record(z.string(), z.array(z.string())).default({}),
      assertions: z
        .array(
          z.object({
            comparison: z.string(),
            source: z.string(),
            property: z.string().nullish(),
            value: z.string().nullable(),
          }),
        )
        .default([]),
      variables: z
        .array(z.object({ name: z.string(), property: z.string().nullish(), source: z.string() }))
        .default([]),
    }),
  ),
});
const suite = Suite.parse(
  JSON.parse(readFileSync(new URL('fixtures/okta-scim-20-spec-test.json', import.meta.url), 'utf8')),
);

let d: TestDirectory;
const variables = new Map<string, string>();
before(async () => {
  d = await testDirectory();
  const user = await d.send('POST', '/Users', oktaCreate('exists@corp.example'));
  for (const [k, v] of Object.entries({
    SCIMBaseURL: d.base,
    auth: `Bearer ${d.token}`,
    ISVUserid: user.body['id'],
    InvalidUserEmail: 'abcdefgh@atko.example',
    UserIdThatDoesNotExist: '010101001010101011001010101011',
    randomEmail: 'runscope300q@atko.example',
    randomUsername: 'Runscope300q@atko.example',
    randomUsernameCaps: 'RUNSCOPE300Q@ATKO.EXAMPLE',
    randomGivenName: 'Runscope300',
    randomFamilyName: 'Q',
  }))
    variables.set(k, v);
});
after(() => d.t.close());

const filled = (text: string): string =>
  text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const v = variables.get(name);
    assert.ok(v !== undefined, `the suite uses {{${name}}}, which the runner does not know`);
    return v;
  });

const at = (body: unknown, property: string): unknown => {
  let now = body;
  for (const key of property.split(/[.[\]]+/).filter(Boolean))
    now = typeof now === 'object' && now !== null ? (now as Record<string, unknown>)[key] : undefined;
  return now;
};

for (const [i, step] of suite.steps.entries()) {
  if (step.step_type !== 'request') continue;
  test(`Okta's SPEC step ${i}: ${step.note}`, async () => {
    const started = performance.now();
    const url = new URL(filled(step.url));
    const res = await d.app.request(url, {
      method: step.method,
      headers: Object.fromEntries(Object.entries(step.headers).map(([k, v]) => [k, filled(v.join(', '))])),
      ...(step.body === undefined ? {} : { body: filled(step.body) }),
    });
    const ms = performance.now() - started;
    const text = await res.text();
    const body: unknown = JSON.parse(text);
    for (const a of step.assertions) {
      const found =
        a.source === 'response_status' ? res.status : a.source === 'response_time' ? ms : at(body, a.property ?? '');
      const expected = a.value === null ? '' : filled(a.value);
      const says = `${a.property ?? a.source} ${a.comparison} ${expected}: ${text}`;
      switch (a.comparison) {
        case 'equal':
        case 'equal_number':
          assert.equal(String(found), expected, says);
          break;
        case 'not_empty':
          assert.ok(
            found !== undefined && found !== null && found !== '' && !(Array.isArray(found) && found.length === 0),
            says,
          );
          break;
        case 'has_value':
          assert.ok(Array.isArray(found) && found.includes(expected), says);
          break;
        case 'contains':
          assert.ok(JSON.stringify(found).includes(expected), says);
          break;
        case 'is_a_number':
          assert.equal(typeof found, 'number', says);
          break;
        case 'is_less_than':
          assert.ok(Number(found) < Number(expected), says);
          break;
        default:
          assert.fail(`the runner does not know the comparison ${a.comparison}`);
      }
    }
    for (const v of step.variables) variables.set(v.name, String(at(body, v.property ?? '')));
  });
}

test("all twelve requests of Okta's suite were run", () => {
  assert.equal(suite.steps.filter((s) => s.step_type === 'request').length, 12);
});
