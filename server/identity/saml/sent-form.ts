import { html, type Html } from '#kernel/html.ts';
import type { Sent } from './message.ts';

/** A message that a browser carries by POST: a form that its person submits, because our pages have no script. */
export const sentForm = (sent: Extract<Sent, { by: 'post' }>, label: string, beside?: Html): Html =>
  html`<form method="post" action="${sent.url.href}">
    ${Object.entries(sent.fields).map(([k, v]) => html`<input type="hidden" name="${k}" value="${v}" />`)}
    <div class="do"><button class="btn act">${label}</button>${beside}</div>
  </form>`;

/** Where such a form may lead: identity providers send people from host to host, and browsers hold the whole chain to this. */
export const formActions = (sent: Extract<Sent, { by: 'post' }>): string[] => ['https:', sent.url.origin];
