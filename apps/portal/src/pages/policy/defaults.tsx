import { Button, NumberInput, Radio, Select } from '@mantine/core';
import { readAfterReading, readSettings, setAfterReading, setSettings } from '@gatehouse/client/policy.ts';
import { Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { countOf } from '../../kit/words.ts';
import type { Wish } from './draft.ts';
import { Effect, usePreview } from './effect.tsx';
import c from './policy.module.css';
import { losers, SaveDialog } from './save-dialog.tsx';

type Settings = Extract<Wish, { kind: 'set_settings' }>['settings'];
type Reading = Extract<Wish, { kind: 'set_after_reading' }>['afterReading'];

const modes = [
  { value: 'off', label: 'nothing', description: 'Regulated: everything is off until it is allowed.' },
  { value: 'read', label: 'what reads', description: 'Open: everyone may use tools that read.' },
  { value: 'read_write', label: 'what reads and writes', description: 'Open: only what destroys needs a rule.' },
] as const;
const thens = [
  { value: 'ask', label: 'wait for somebody’s yes' },
  { value: 'forbid', label: 'are impossible' },
  { value: 'off', label: 'go on' },
] as const;
const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];

/** What everyone has where nothing else is said, by whose clock rules speak of time, and what holds after reading. */
export function Defaults() {
  const org = useOrg();
  const may = useMay('policy.manage').ok;
  const known = useAsk(readSettings, { org });
  const reading = useAsk(readAfterReading, { org });
  const [open, setOpen] = useState(known.defaultAccess);
  const [timeZone, setTimeZone] = useState(known.timeZone);
  const [outward, setOutward] = useState(reading.outward);
  const [hours, setHours] = useState(reading.hours);
  const [dialog, setDialog] = useState<'settings' | 'reading'>();
  const settings: Settings =
    open === 'off' ? { mode: 'regulated', timeZone } : { mode: 'open', defaultAccess: open, timeZone };
  const afterReading: Reading = { outward, hours };
  const [save, saveReading] = [useDo(setSettings), useDo(setAfterReading)];
  const preview = usePreview(
    dialog === 'settings'
      ? { kind: 'set_settings', settings }
      : dialog === 'reading'
        ? { kind: 'set_after_reading', afterReading }
        : undefined,
  );
  const put = async (reason: string): Promise<void> => {
    if (!preview.seen) return;
    const saying = { reason, expects: preview.seen.version, previewed: preview.seen.hash };
    const done =
      dialog === 'settings'
        ? await save.run({ org, body: { ...settings, ...saying } })
        : await saveReading.run({ org, body: { ...afterReading, ...saying } });
    if (done) setDialog(undefined);
  };
  const changed = open !== known.defaultAccess || timeZone !== known.timeZone;
  const changedReading = outward !== reading.outward || hours !== reading.hours;
  return (
    <div className={c.two}>
      <Section title="Without any rule, everyone may use">
        <div className={c.form}>
          <Radio.Group
            aria-label="Without any rule, everyone may use"
            value={open}
            onChange={(to) => setOpen(modes.find((m) => m.value === to)?.value ?? open)}
          >
            <div className={c.choices}>
              {modes.map((m) => (
                <Radio key={m.value} {...m} disabled={!may} />
              ))}
            </div>
          </Radio.Group>
          <Select
            label="Rules speak of time by the clock of"
            searchable
            disabled={!may}
            data={zones.includes(timeZone) ? zones : [timeZone, ...zones]}
            limit={50}
            value={timeZone}
            onChange={(to) => to !== null && setTimeZone(to)}
          />
          <div className="gh-actions">
            {changed && (
              <Button
                onClick={() => {
                  setOpen(known.defaultAccess);
                  setTimeZone(known.timeZone);
                }}
              >
                Discard
              </Button>
            )}
            <Act can="policy.manage" disabled={!changed} onClick={() => setDialog('settings')}>
              Review the change…
            </Act>
          </div>
        </div>
      </Section>
      <Section title="After reading" note="what outsiders wrote, and what is private">
        <div className={c.form}>
          <p className="gh-s gh-2">
            Text that outsiders wrote can tell an agent to send out what it has read. Once a session has read both,
            outward actions
          </p>
          <Radio.Group
            aria-label="After reading, outward actions"
            value={outward}
            onChange={(to) => setOutward(thens.find((t) => t.value === to)?.value ?? outward)}
          >
            <div className={c.choices}>
              {thens.map((t) => (
                <Radio key={t.value} {...t} disabled={!may} />
              ))}
            </div>
          </Radio.Group>
          <NumberInput
            label="Hours for which reading counts"
            min={1}
            max={168}
            disabled={!may}
            value={hours}
            onChange={(n) => typeof n === 'number' && setHours(n)}
          />
          <div className="gh-actions">
            <Act can="policy.manage" disabled={!changedReading} onClick={() => setDialog('reading')}>
              Review the change…
            </Act>
          </div>
        </div>
      </Section>
      <SaveDialog
        title={dialog === 'reading' ? 'Set what holds after reading?' : 'Set what holds by default?'}
        act={
          losers(preview.seen) > 0 ? `Set it, and limit ${countOf(losers(preview.seen), 'person', 'people')}` : 'Set it'
        }
        seen={preview.seen}
        opened={dialog !== undefined}
        onClose={() => setDialog(undefined)}
        busy={save.busy || saveReading.busy}
        refusal={save.refusal ?? saveReading.refusal ?? preview.refusal}
        onSave={(reason) => void put(reason)}
      >
        {preview.seen && <Effect seen={preview.seen} />}
      </SaveDialog>
    </div>
  );
}
