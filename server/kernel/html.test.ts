import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escape, html, htmlDialect, nextStep, render } from './html.ts';
import { Problem } from './problem.ts';
import type { Context } from 'hono';

test('text from others cannot become markup, in an element or in an attribute', () => {
  const name = `"><script>alert('x')</script>&`;
  assert.equal(html`<b title="${name}">${name}</b>`.text.includes('<script>'), false);
  assert.equal(
    html`<b title="${name}"></b>`.text,
    `<b title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"></b>`,
  );
});

test('characters that turn, hide or join text are printed by their number', () => {
  assert.equal(escape('pay\u202eelif.exe'), 'pay[U+202E]elif.exe');
  assert.equal(escape('a\u200bb\ufeffc'), 'a[U+200B]b[U+FEFF]c');
  assert.equal(escape('hi\u{e0041}'), 'hi[U+E0041]');
  assert.equal(escape('Zoë Müller 東京'), 'Zoë Müller 東京');
});

test('lists and absent parts are put in as a reader expects', () => {
  assert.equal(
    html`<ul>${['a', 'b'].map((x) => html`<li>${x}</li>`)}${false}${undefined}</ul>`.text,
    '<ul><li>a</li><li>b</li></ul>',
  );
});

test('a page runs no script, loads nothing from elsewhere and cannot be framed', () => {
  const policy =
    render({ title: 'x', body: html`y`, formAction: ['http://127.0.0.1:1'] }).headers.get('content-security-policy') ??
    '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /form-action 'self' http:\/\/127\.0\.0\.1:1;/);
  assert.doesNotMatch(policy, /script-src|unsafe/);
});

test('a refused person reads what happened, what to do and which number to quote', async () => {
  const page = htmlDialect(
    {} as Context,
    new Problem('forbidden', 'test/no', { says: 'No <rule> lets you in', fix: 'Ask IT' }),
    'req_1',
  );
  const text = await page.text();
  assert.equal(page.status, 403);
  for (const part of ['No &lt;rule&gt; lets you in', 'Ask IT', 'req_1', 'test/no'])
    assert.ok(text.includes(part), part);
});

test('the next step leads to the sign-in page where it names it, and its text is escaped all the same', () => {
  assert.equal(
    nextStep('ask <IT>, or begin again at /sign-in').text,
    'Ask &lt;IT&gt;, or begin again at <a class="path" href="/sign-in">/sign-in</a>.',
  );
  assert.equal(nextStep('ask IT').text, 'Ask IT.');
});
