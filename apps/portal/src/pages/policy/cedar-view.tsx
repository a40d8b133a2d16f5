import type { ReactNode } from 'react';
import type { Part } from './pick.tsx';
import c from './policy.module.css';

const token =
  /(\/\/.*)|("(?:[^"\\]|\\.)*")|\b(permit|forbid|when|unless|if|then|else|in|has|like|is|true|false)\b|(@\w+)/g;

/** One line of Cedar with what its words are: keywords heavy, texts in the colour of links. Plain text in, elements out. */
export function cedarLine(line: string): ReactNode[] {
  const out: ReactNode[] = [];
  let from = 0;
  for (const m of line.matchAll(token)) {
    if (m.index > from) out.push(line.slice(from, m.index));
    const kind = m[1] !== undefined || m[4] !== undefined ? c.note : m[2] !== undefined ? c.str : c.kw;
    out.push(
      <span key={m.index} className={kind}>
        {m[0]}
      </span>,
    );
    from = m.index + m[0].length;
  }
  out.push(line.slice(from));
  return out;
}

/** Which part of the sentence a line says. The second policy is who says yes. */
export function partOf(line: string, second: boolean): Part | undefined {
  if (second) {
    if (/fresh|surface/i.test(line)) return 'manner';
    return /principal|may_decide|is_manager|requester/.test(line) ? 'approver' : undefined;
  }
  if (/^\s*(permit|forbid)\b|action/.test(line)) return 'does';
  if (/resource\.(class|name)|Class::/.test(line)) return 'tools';
  if (/context\b/.test(line)) return 'when';
  if (/^\s*resource\b/.test(line)) return 'where';
  return /^\s*principal\b/.test(line) ? 'who' : undefined;
}

/** Cedar with line numbers; the lines that say the part under the pointer light up. */
export function CedarLines({ text, on, label }: { text: string; on?: Part | undefined; label: string }) {
  const lines = text.trimEnd().split('\n');
  let policies = 0;
  return (
    <pre className={c.lines} tabIndex={0} role="region" aria-label={label}>
      {lines.map((line, i) => {
        if (/^\s*(permit|forbid)\b/.test(line)) policies++;
        const lit = on !== undefined && partOf(line, policies > 1) === on;
        return (
          <div key={i} data-on={lit || undefined}>
            <i>{i + 1}</i>
            <code>{cedarLine(line)}</code>
          </div>
        );
      })}
    </pre>
  );
}
