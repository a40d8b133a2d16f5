import { Button, Modal, Textarea } from '@mantine/core';
import type { InputOf, OutputOf } from '@gatehouse/client/call.ts';
import type { Refusal } from '@gatehouse/client/call.ts';
import { previewChange } from '@gatehouse/client/policy.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { Glyph, tone } from '@gatehouse/ui/glyphs.tsx';
import { useEffect, useState } from 'react';
import { Bones } from '../../kit/bones.tsx';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { count, countOf } from '../../kit/words.ts';
import c from './connectors.module.css';

export type Wish = InputOf<typeof previewChange>['body'];
export type Preview = OutputOf<typeof previewChange>;
/** What binds a change to what was seen. */
export type Bound = { reason: string; expects: number; previewed: string };

const effects = ['loses', 'narrower', 'gains', 'wider', 'differs'] as const;
const words: Record<(typeof effects)[number], { is: GlyphName; of: string; says: string }> = {
  loses: { is: 'minus', of: 'lose access', says: 'lose' },
  narrower: { is: 'minus', of: 'have to ask more', says: 'may less in' },
  gains: { is: 'plus', of: 'gain access', says: 'gain' },
  wider: { is: 'plus', of: 'have to ask less', says: 'may more in' },
  differs: { is: 'swap', of: 'change otherwise', says: 'change in' },
};
const touched = (p: Preview): number => Math.max(0, ...effects.map((e) => p.counts[e].people));

/** A change of who may use what, with its effect before it is made. What was seen is what is applied: otherwise the server refuses. */
export function Effect({
  title,
  act,
  wish,
  busy,
  refusal,
  onApply,
  onClose,
}: {
  title: string;
  act: string;
  wish: Wish;
  busy: boolean;
  refusal: Refusal | undefined;
  onApply: (bound: Bound) => void;
  onClose: () => void;
}) {
  const org = useOrg();
  const [seen, setSeen] = useState<Preview>();
  const [reason, setReason] = useState('');
  const preview = useDo(previewChange, { done: setSeen });
  const { run } = preview;
  const asked = JSON.stringify(wish);
  useEffect(() => {
    void run({ org, body: JSON.parse(asked) as Wish });
  }, [run, org, asked]);
  const people = seen ? touched(seen) : 0;
  const loses = seen !== undefined && seen.counts.loses.people > 0;
  return (
    <Modal opened onClose={onClose} title={title} size={560}>
      <div className={c.stack}>
        {!seen && !preview.refusal && <Bones rows={4} />}
        <Problem of={preview.refusal} />
        {seen && <Seen of={seen} />}
        <Textarea
          label="Why"
          description="It stands in the history beside your name."
          rows={2}
          value={reason}
          maxLength={500}
          onChange={(e) => setReason(e.currentTarget.value)}
        />
        <Problem of={refusal} />
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button
            variant="filled"
            {...(loses ? { color: 'negative' } : {})}
            disabled={!seen || reason.trim() === ''}
            loading={busy}
            onClick={() => seen && onApply({ reason: reason.trim(), expects: seen.version, previewed: seen.hash })}
          >
            {people === 0 ? act : `${act} for ${countOf(people, 'person', 'people')}`}
          </Button>
        </div>
        {seen && reason.trim() === '' && <p className="gh-xs gh-3">Say why to go on.</p>}
      </div>
    </Modal>
  );
}

function Seen({ of }: { of: Preview }) {
  if (touched(of) === 0)
    return (
      <p className="gh-s gh-2">
        Nothing changes for anybody now: {countOf(of.looked.people, 'person', 'people')} and{' '}
        {countOf(of.looked.tools, 'tool')} were looked at.
      </p>
    );
  const shown = effects.filter((e) => of.counts[e].people > 0);
  return (
    <>
      <div className={c.sums}>
        {shown.map((e) => (
          <div key={e}>
            <b>
              <Glyph name={words[e].is} size={14} className={tone(words[e].is)} /> {count(of.counts[e].people)}
            </b>
            {words[e].of}
          </div>
        ))}
      </div>
      <ul className={`${c.lines} ${c.scroll}`}>
        {shown.flatMap((e) =>
          of.lines
            .filter((l) => l.effect === e)
            .map((l) => (
              <li
                key={`${e}-${l.connector}-${l.from}-${l.to}-${l.people[0]?.user ?? ''}`}
                className={tone(words[e].is)}
              >
                <Glyph name={words[e].is} />
                <div>
                  <b>
                    {l.people
                      .slice(0, 3)
                      .map((p) => p.name)
                      .join(', ')}
                    {l.peopleCount > 3 && ` and ${count(l.peopleCount - 3)} more`}
                  </b>{' '}
                  {words[e].says} {l.connectorName}
                  <p>
                    {countOf(l.toolCount, 'tool')}: {l.from} → {l.to}
                  </p>
                </div>
              </li>
            )),
        )}
      </ul>
      {of.more > 0 && <p className="gh-xs gh-3">And {count(of.more)} more lines.</p>}
    </>
  );
}
