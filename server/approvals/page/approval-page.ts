import { Html, html } from '#kernel/html.ts';
import { reveal, type Piece } from '#kernel/reveal.ts';
import type { RenderedAction, ShownGroup, ShownValue } from './rendered-action.ts';

/** Everything that the page of one approval shows. Facts of ours and the call itself; `says` is the only thing that an agent has written about it. */
export type ApprovalScreen = {
  /** Where its forms post to. */
  path: string;
  title: string;
  tool: string;
  class: string;
  client: string;
  asked: Date;
  until: Date;
  call: RenderedAction;
  hash: string;
  words: readonly string[];
  says: string | undefined;
  asker: string;
  why: string;
  /** The rules of `why`, where rules wanted it. */
  rules: readonly { id: string; name: string }[];
  /** What this person may do here, or why not. */
  act:
    | { kind: 'decide'; fresh: { begin: string; finish: string } | undefined }
    | { kind: 'deny_only'; because: string }
    /** Somebody else's to decide; `own`: of one's own agent, so it can be taken back. */
    | { kind: 'watch' | 'own'; because: string }
    | { kind: 'over'; state: string; says: string; revocable: boolean };
};

const glyph = (path: string): Html =>
  new Html(
    `<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">${path}</svg>`,
  );
const outside = glyph('<path d="M3 14V7a4.5 4.5 0 0 1 9 0v2M3 11h9m0 0-2.5-2.5M12 11l-2.5 2.5"/>');
const inside = glyph('<path d="m3 8.5 3.5 3.5L13 4.5"/>');
const waits = new Html(
  '<svg width="16" height="16" viewBox="0 0 16 16" fill="currentColor" fill-rule="evenodd" aria-hidden="true"><path d="M1 15V8a7 7 0 0 1 14 0v7zM5 7v6h2V7zm4 0v6h2V7z"/></svg>',
);

/** Pieces as HTML: what deceives stands out, by its code point. */
export const shownPieces = (pieces: readonly Piece[]): Html[] =>
  pieces.map((p) =>
    typeof p === 'string'
      ? html`${p}`
      : html`<span class="esc">${p.char === undefined ? p.code : `${p.char} ${p.code}`}</span>`,
  );

/** As long as a line on a phone; longer ones get a line at their side and their length. */
const LONG = 120;

function value(v: ShownValue, g: ShownGroup): Html {
  const long = v.length > LONG || v.text.some((p) => typeof p === 'string' && p.includes('\n'));
  // A pointer of one segment is the label itself.
  const at = g.kind === 'other' ? g.values.length > 1 : true;
  const notes = [
    ...v.notes,
    ...(v.unreadable
      ? [`${v.unreadable.bytes.toLocaleString('en')} bytes that nobody can read here. SHA-256 ${v.unreadable.sha256}`]
      : []),
    ...(long ? [`${v.length.toLocaleString('en')} characters, all of them shown`] : []),
  ];
  const body = html`<span class="${long ? 'whole long' : 'whole'}">${shownPieces(v.text)}</span>`;
  const told = html`${notes.length > 0 && html`<small>${notes.join(' ')}</small>`}${at && html`<small class="at">${shownPieces(v.at)}</small>`}`;
  if (g.kind !== 'recipient')
    return html`<li>${long ? html`<div class="long whole">${shownPieces(v.text)}</div>` : body}${told}</li>`;
  return v.outside ? html`<li data-out>${outside}${body}${told}</li>` : html`<li data-in>${inside}${body}${told}</li>`;
}

const field = (g: ShownGroup): Html =>
  html`<div class="field"><dt>${shownPieces(g.label)}</dt><dd>${g.sum && html`<strong>${g.sum}</strong>`}<ul class="vals">${g.values.map((v) => value(v, g))}</ul></dd></div>`;

const time = (d: Date): string => `${d.toISOString().slice(11, 19)} UTC`;

function decision(s: ApprovalScreen): Html {
  const deny = html`<form method="post" action="${s.path}/deny"><button class="btn" type="submit">Deny</button></form>`;
  const { act } = s;
  switch (act.kind) {
    case 'decide': {
      const button = act.fresh
        ? html`<button class="btn act" id="approve" type="button" aria-disabled="true" aria-describedby="hint" data-begin="${act.fresh.begin}" data-finish="${act.fresh.finish}" data-hash="${s.hash}">Approve with passkey</button>`
        : html`<form method="post" action="${s.path}/approve"><input type="hidden" name="hash" value="${s.hash}" /><button class="btn act" id="approve" type="submit" aria-disabled="true" aria-describedby="hint">Approve</button></form>`;
      return html`<div class="decide">${deny}${button}</div><p class="hint" id="hint">Scroll to the end to approve; deny at any time.</p><p id="said" role="alert"></p>`;
    }
    case 'deny_only':
      return html`<div class="decide">${deny}<button class="btn" type="button" aria-disabled="true" aria-describedby="hint">Approve</button></div><p class="hint no" id="hint">${act.because}</p>`;
    case 'own':
      return html`<form method="post" action="${s.path}/cancel"><button class="btn" type="submit">Take the request back</button></form><p class="hint no">${act.because}</p>`;
    case 'watch':
      return html`<p class="no">${act.because}</p>`;
    case 'over':
      return html`<p><strong>${act.state}</strong> ${act.says}</p>${
        act.revocable &&
        html`<form method="post" action="${s.path}/revoke"><button class="btn" type="submit">Take the yes back</button></form>`
      }`;
  }
}

/** The page of one approval, from the design's pictures: the call at the left, the decision at the right; on a phone one below the other, the decision fixed at the foot. */
export function approvalBody(s: ApprovalScreen): Html {
  const open = s.act.kind !== 'over';
  return html`<div class="approval">
    <div>
      <p class="crumb"><a href="/approvals">Approvals</a></p>
      <h1>${shownPieces(reveal(s.title))}</h1>
      <p class="meta"><code>${shownPieces(reveal(s.tool))}</code><span class="tag">${s.class}</span><span>${shownPieces(reveal(s.client))}, ${time(s.asked)}</span></p>
      <dl>${s.call.groups.length === 0 ? html`<div class="field"><dt>Arguments</dt><dd>none</dd></div>` : s.call.groups.map(field)}</dl>
      ${
        s.says !== undefined &&
        html`<section class="said" aria-label="What the agent says"><h2>${s.asker}’s agent says <span>· not verified by Gatehouse</span></h2><p>${shownPieces(reveal(s.says))}</p></section>`
      }
      <div id="end"></div>
    </div>
    <aside class="panel" aria-label="Decision">
      <section><div class="line"><span class="held">${waits}${open ? 'Held' : 'Decided'}</span>${open && html`<span class="until">expires in <strong role="timer" data-until="${s.until.toISOString()}">${time(s.until)}</strong></span>`}</div></section>
      <section><h2>Same words on both screens</h2><ol class="hashwords">${s.words.map((w) => html`<li>${w}</li>`)}</ol><p>The agent was told them, too. If they differ, deny.</p><code class="at" title="${s.hash}">${s.hash.slice(0, 8)}…${s.hash.slice(-4)}</code></section>
      <section><h2>Why you are asked</h2><p>${s.why}</p></section>
      <section class="foot">${decision(s)}</section>
    </aside>
  </div>`;
}
