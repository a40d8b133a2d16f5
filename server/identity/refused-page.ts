import { heading, html, mark, nextStep, render } from '#kernel/html.ts';
import { status, type Problem } from '#kernel/problem.ts';

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** "Ada, Bo or Cem". */
const anyOf = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;

/**
 * What a person sees whose sign-in was refused: a plain sentence, whom to ask, and the number by which an administrator finds every stage.
 * INVARIANT (no accounts told): nothing here depends on whether another account exists; names of people who can help are shown only to
 * whom an identity provider of theirs has vouched for.
 */
export function refusedPage(p: Problem, trace: string): Response {
  const { ask, at, connection } = p.more ?? {};
  const names = Array.isArray(ask) ? ask.filter((n): n is string => typeof n === 'string') : [];
  // Whom to ask is said below, by name.
  const next =
    names.length > 0 && p.fix?.startsWith('ask ')
      ? 'your identity provider confirmed who you are; nothing was opened'
      : p.fix;
  const when = text(at);
  const again = text(connection);
  return render({
    title: 'Refused',
    status: status[p.kind],
    foot: 'This attempt is in the log.',
    body: html`${mark.refused}
      <h1>${heading(p.says)}</h1>
      ${next && html`<p>${nextStep(next)}</p>`}
      <section class="box">
        <h2>${names.length > 0 ? `Ask ${anyOf(names)}` : 'Ask whoever manages sign-in in your organization'}</h2>
        <p>With this number they see exactly what happened:</p>
        <code class="id">${trace}</code>
        <p class="note">${when && `${when.slice(0, 19).replace('T', ' ')} UTC · `}<code>${p.code}</code></p>
      </section>
      <div class="do">
        <a class="btn" href="${again === undefined ? '/sign-in' : `/sign-in/start/${again}`}">Try again</a>
        ${again !== undefined && html`<a href="/sign-in">Sign in another way</a>`}
      </div>`,
  });
}
