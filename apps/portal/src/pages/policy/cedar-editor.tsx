import type { OutputOf } from '@gatehouse/client/call.ts';
import { checkCedar } from '@gatehouse/client/policy.ts';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { question } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { cedarLine } from './cedar-view.tsx';
import c from './policy.module.css';

type Checked = OutputOf<typeof checkCedar>;
type Remark = Checked['errors'][number];

/** What is wrong with a text, a moment after it stopped changing; `now` says that it is about the text as it stands. */
export function useCheck(cedar: string, wanted: boolean): Checked & { now: boolean } {
  const org = useOrg();
  const [settled] = useDebouncedValue(cedar, 300);
  const { data, isPlaceholderData } = useQuery({
    ...question(checkCedar, { org, body: { cedar: settled } }),
    enabled: wanted,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
  return {
    errors: data?.errors ?? [],
    checked: data?.checked ?? null,
    now: data !== undefined && !isPlaceholderData && settled === cedar,
  };
}

/** Cedar as it is written: numbered lines, the wrong ones marked, what is wrong below with its line. */
export function CedarEditor({
  value,
  onChange,
  remarks,
  readOnly,
}: {
  value: string;
  onChange(to: string): void;
  remarks: readonly Remark[];
  readOnly: boolean;
}) {
  const said = useId();
  const lines = value.split('\n');
  const wrong = new Set(remarks.map((r) => r.line));
  return (
    <>
      <div className={c.editor}>
        <pre className={c.numbers} aria-hidden>
          {lines.map((_, i) => (
            <span key={i} data-wrong={wrong.has(i + 1) || undefined}>
              {i + 1}
              {'\n'}
            </span>
          ))}
        </pre>
        <textarea
          className={c.text}
          aria-label="The policy in Cedar"
          aria-describedby={said}
          aria-invalid={remarks.length > 0}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          rows={Math.max(12, lines.length + 1)}
          value={value}
          readOnly={readOnly}
          onChange={(e) => onChange(e.currentTarget.value)}
        />
      </div>
      <div id={said} role="status">
        {remarks.length > 0 && (
          <ul className={c.remarks}>
            {remarks.map((r, i) => (
              <li key={i}>
                <b>
                  Line {r.line}, column {r.column}:
                </b>{' '}
                {r.says}
                {r.expected !== undefined && <span className="gh-3"> ({r.expected})</span>}
                <code className={c.where}>{cedarLine(lines[r.line - 1] ?? '')}</code>
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}
