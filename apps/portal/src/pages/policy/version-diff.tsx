import type { OutputOf } from '@gatehouse/client/call.ts';
import type { compareVersions } from '@gatehouse/client/policy.ts';
import { Tag } from '@gatehouse/ui/parts.tsx';
import c from './policy.module.css';

type Difference = OutputOf<typeof compareVersions>['differences'][number];
const what = { rule: 'rule', control: 'control', cedar: 'Cedar', settings: 'default' } as const;
const change = { added: 'added', removed: 'removed', changed: 'changed' } as const;

type Line = { sign: '+' | '-' | ' '; text: string };

/** Lines that went and lines that came, by the longest common sequence. */
export function linesOf(before: string, after: string): Line[] {
  const [a, b] = [before === '' ? [] : before.split('\n'), after === '' ? [] : after.split('\n')];
  const n = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  const at = (i: number, j: number): number => n[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = n[i];
      if (row) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const lines: Line[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i] ?? '' });
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1)))
      lines.push({ sign: '-', text: a[i++] ?? '' });
    else lines.push({ sign: '+', text: b[j++] ?? '' });
  }
  return lines;
}

/** What is different between two versions, with + and - before the lines. */
export const VersionDiff = ({ of }: { of: readonly Difference[] }) =>
  of.length === 0 ? (
    <p className="gh-s gh-2">They say the same.</p>
  ) : (
    <ul className={c.dialog}>
      {of.map((d, i) => (
        <li key={d.id ?? i} className={c.cedar}>
          <header>
            <Tag>{what[d.what]}</Tag> {change[d.change]}
            {d.id !== null && <span className="gh-id">{d.id}</span>}
          </header>
          <div className={c.lines}>
            {linesOf(d.before ?? '', d.after ?? '').map((l, j) => (
              <div key={j} data-added={l.sign === '+' || undefined} data-removed={l.sign === '-' || undefined}>
                <i>{l.sign}</i>
                <code>{l.text}</code>
              </div>
            ))}
          </div>
        </li>
      ))}
    </ul>
  );
