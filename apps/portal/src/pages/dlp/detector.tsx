import { Button, Checkbox, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import type { InputOf, OutputOf } from '@gatehouse/client/call.ts';
import { addDetector, tryDetector } from '@gatehouse/client/dlp.ts';
import { Head, Section } from '@gatehouse/ui/parts.tsx';
import { useState, type ReactNode } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { useGo } from '../../kit/use-go.ts';
import { countOf } from '../../kit/words.ts';
import c from './dlp.module.css';

type Finds = InputOf<typeof addDetector>['body']['finds'];
type Found = OutputOf<typeof tryDetector>['findings'];
const kinds = [
  { value: 'terms', label: 'terms' },
  { value: 'pattern', label: 'a pattern' },
  { value: 'dictionary', label: 'several phrases of a dictionary' },
  { value: 'exact', label: 'a table of exact values' },
] as const;
type Kind = (typeof kinds)[number]['value'];
const severities = ['low', 'medium', 'high', 'critical'] as const;

const lines = (text: string): string[] => [
  ...new Set(
    text
      .split('\n')
      .map((l) => l.trim())
      .filter((l) => l !== ''),
  ),
];
const hints: Record<Kind, string> = {
  terms: 'One in a line, at least three characters each.',
  pattern: 'A regular expression as RE2 has it: no look-around, no back-references.',
  dictionary: 'One phrase in a line.',
  exact: 'One record in a line, its columns with commas between them. Only digests are kept.',
};

/** Marks where something was found; plain text in, elements out. */
function Marked({ text, found }: { text: string; found: Found }) {
  const out: ReactNode[] = [];
  let from = 0;
  for (const f of found.toSorted((a, b) => a.start - b.start)) {
    if (f.start < from) continue;
    out.push(text.slice(from, f.start), <mark key={f.start}>{text.slice(f.start, f.end)}</mark>);
    from = f.end;
  }
  out.push(text.slice(from));
  return <p className={c.marked}>{out}</p>;
}

/** A detector of the organization's own, tried on a text before it is added. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Kind>('terms');
  const [severity, setSeverity] = useState<(typeof severities)[number]>('high');
  const [says, setSays] = useState('');
  const [ignoreCase, setIgnoreCase] = useState(true);
  const [atLeast, setAtLeast] = useState(2);
  const [sample, setSample] = useState('');
  const [looked, setLooked] = useState<{ text: string; found: Found }>();
  const [add, look] = [useDo(addDetector), useDo(tryDetector)];
  const finds: Finds =
    kind === 'terms'
      ? { kind, terms: lines(says) }
      : kind === 'pattern'
        ? { kind, pattern: says.trim(), ignoreCase }
        : kind === 'dictionary'
          ? { kind, phrases: lines(says), atLeast }
          : { kind, rows: lines(says).map((l) => l.split(',').map((x) => x.trim())), needs: atLeast };
  const something = says.trim() !== '';
  const save = async (): Promise<void> => {
    if (await add.run({ org, body: { name: name.trim(), severity, finds } })) go('dlp/detectors');
  };
  const test = async (): Promise<void> => {
    const answer = await look.run({ org, body: { finds, text: sample } });
    setLooked(answer && { text: sample, found: answer.findings });
  };
  return (
    <div className="gh-page">
      <Head
        room="Own detectors"
        roomHref={`/portal/${org}/dlp/detectors`}
        title={name.trim() === '' ? 'A new detector' : name}
      >
        Its baseline is that of its severity. It never changes; another one is added in its place.
      </Head>
      <div className={c.two}>
        <Section title="The detector">
          <div className={c.form}>
            <TextInput
              label="Name"
              description="It stands in refusals, so it says what it is and not what it looks for."
              maxLength={120}
              value={name}
              onChange={(e) => setName(e.currentTarget.value)}
            />
            <Select
              label="It looks for"
              data={[...kinds]}
              value={kind}
              onChange={(to) => setKind(kinds.find((k) => k.value === to)?.value ?? kind)}
            />
            <Textarea
              label={kind === 'pattern' ? 'Pattern' : 'Entries'}
              description={hints[kind]}
              rows={kind === 'pattern' ? 2 : 6}
              value={says}
              onChange={(e) => setSays(e.currentTarget.value)}
            />
            {kind === 'pattern' && (
              <Checkbox
                label="Whatever the case"
                checked={ignoreCase}
                onChange={(e) => setIgnoreCase(e.currentTarget.checked)}
              />
            )}
            {(kind === 'dictionary' || kind === 'exact') && (
              <NumberInput
                label={
                  kind === 'exact'
                    ? 'Columns of one record that must stand near each other'
                    : 'Different phrases that must stand in one text'
                }
                min={1}
                max={kind === 'exact' ? 10 : 100}
                value={atLeast}
                onChange={(n) => typeof n === 'number' && setAtLeast(n)}
              />
            )}
            <Select
              label="Severity"
              data={[...severities]}
              value={severity}
              onChange={(to) => setSeverity(severities.find((s) => s === to) ?? severity)}
            />
            <Problem of={add.refusal} />
            <div className="gh-actions">
              <Button onClick={() => go('dlp/detectors')}>Back</Button>
              <Act
                can="policy.manage"
                variant="filled"
                disabled={!something || name.trim() === ''}
                loading={add.busy}
                onClick={() => void save()}
              >
                Put in force
              </Act>
            </div>
          </div>
        </Section>
        <Section title="Try it" note="neither is kept">
          <div className={c.dialog}>
            <Textarea label="A text" rows={6} value={sample} onChange={(e) => setSample(e.currentTarget.value)} />
            <div className="gh-actions">
              <Act
                can="policy.manage"
                disabled={!something || sample === ''}
                loading={look.busy}
                onClick={() => void test()}
              >
                Look at it
              </Act>
            </div>
            <Problem of={look.refusal} />
            <div role="status">
              {looked && (
                <>
                  <p className="gh-s gh-2">
                    {looked.found.length === 0
                      ? 'Nothing was found.'
                      : `It was found ${countOf(looked.found.length, 'time')}.`}
                  </p>
                  <Marked text={looked.text} found={looked.found} />
                </>
              )}
            </div>
          </div>
        </Section>
      </div>
    </div>
  );
}
