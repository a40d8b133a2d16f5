import { Button, TextInput } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { addRule, readRule, readSettings, removeRule, replaceRule } from '@gatehouse/client/policy.ts';
import { Glyph } from '@gatehouse/ui/glyphs.tsx';
import { Head, Section, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { connectorsOf } from '../../kit/choose.tsx';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { BacktestRun, StartBacktest } from './backtest-view.tsx';
import { CedarLines } from './cedar-view.tsx';
import { blank, formOf, same, type Draft, type Rule, type Wish } from './draft.ts';
import { Effect, usePreview } from './effect.tsx';
import { PartContext, type Part } from './pick.tsx';
import c from './policy.module.css';
import { losers, SaveDialog } from './save-dialog.tsx';
import { Sentence } from './sentence.tsx';

const NEW = 'new';

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnectors, connectorsOf(org)),
    ask(readSettings, { org }),
    ...(params['rule'] === NEW ? [] : [ask(readRule, { org, rule: params['rule'] ?? '' })]),
  ]);

const draftOf = ({ name, who, connector, tools, when, effect, asks, approvers }: Rule): Draft => ({
  name,
  who,
  connector,
  tools,
  when,
  effect,
  ...(asks === undefined ? {} : { asks }),
  ...(approvers === undefined ? {} : { approvers }),
});

export function Page() {
  const { rule = '' } = useParams({ strict: false }) as { rule?: string };
  return rule === NEW ? <Edit rule={undefined} /> : <Known id={rule} />;
}

function Known({ id }: { id: string }) {
  const org = useOrg();
  return <Edit rule={useAsk(readRule, { org, rule: id })} />;
}

/** One rule: the sentence, the Cedar that it is, what the draft would change, and what it would have done. */
function Edit({ rule }: { rule: Rule | undefined }) {
  const org = useOrg();
  const go = useGo();
  const may = useMay('policy.manage').ok;
  const { version } = useAsk(readSettings, { org });
  const was = useMemo(() => rule && draftOf(rule), [rule]);
  const [draft, setDraft] = useState<Draft>(was ?? blank);
  const [on, setOn] = useState<Part>();
  const [dialog, setDialog] = useState<'save' | 'remove'>();
  const [backtest, setBacktest] = useState<string>();
  const dirty = was === undefined || !same(draft, was);
  const named = draft.name.trim() !== '';
  const form = formOf(draft);
  const wish: Wish = rule
    ? { kind: 'replace_rule', rule: rule.id, by: form }
    : { kind: 'add_rule', rule: { ...form, name: named ? form.name : 'a new rule' } };
  const preview = usePreview(may && dirty ? wish : undefined);
  const removing = usePreview(dialog === 'remove' && rule ? { kind: 'remove_rule', rule: rule.id } : undefined);
  const [add, replace, remove] = [useDo(addRule), useDo(replaceRule), useDo(removeRule)];
  const { seen } = preview;

  const save = async (reason: string): Promise<void> => {
    const saying = {
      ...(reason === '' ? {} : { reason }),
      ...(seen ? { expects: seen.version, previewed: seen.hash } : {}),
    };
    const done = rule
      ? await replace.run({ org, rule: rule.id, body: { ...form, ...saying } })
      : await add.run({ org, body: { ...form, ...saying } });
    if (!done) return;
    setDialog(undefined);
    setBacktest(undefined);
    if (rule) setDraft(draftOf(done));
    else go(`policy/rules/${done.id}`);
  };
  const takeAway = async (reason: string): Promise<void> => {
    if (!rule || !removing.seen) return;
    const { version: expects, hash: previewed } = removing.seen;
    const query = { ...(reason === '' ? {} : { reason }), expects, previewed };
    await remove.run({ org, rule: rule.id, query });
    go('policy/rules');
  };
  const cedar = seen?.rule?.cedar ?? (dirty ? undefined : rule?.cedar);

  return (
    <PartContext value={{ on, setOn }}>
      <div className="gh-page">
        <Head
          room="Policy"
          roomHref={`/portal/${org}/policy/rules`}
          title={named ? draft.name : 'A new rule'}
          actions={
            <>
              {rule && !dirty && (
                <Act can="policy.manage" onClick={() => setDialog('remove')}>
                  Remove the rule…
                </Act>
              )}
              {was && dirty && <Button onClick={() => setDraft(was)}>Discard the draft</Button>}
              {dirty && (
                <Act
                  can="policy.manage"
                  variant="filled"
                  disabled={!named || !preview.fresh || !seen}
                  onClick={() => setDialog('save')}
                >
                  Save version {version + 1}…
                </Act>
              )}
            </>
          }
        >
          {rule ? (
            <>
              <span className="gh-id">{rule.id}</span>
              {dirty
                ? ` · draft of version ${version + 1}. Version ${version} is in force.`
                : ` · in force, version ${version}.`}
              {!dirty && rule.createdAt && (
                <>
                  {' '}
                  Written <When at={rule.createdAt} />.
                </>
              )}
            </>
          ) : (
            'A sentence about who may use what. It is Cedar in the end, and applies from the next call on.'
          )}
        </Head>
        <div className={c.cols}>
          <Section title="The rule" note={may ? 'click any marked part to change it' : 'only administrators change it'}>
            {may && (dirty || !rule) && (
              <TextInput
                label="Name"
                description="Refusals name it, to people and to agents."
                maxLength={120}
                value={draft.name}
                onChange={(e) => setDraft({ ...draft, name: e.currentTarget.value })}
              />
            )}
            <Sentence draft={draft} was={was} edit={may ? setDraft : undefined} />
            {may && rule && !dirty && (
              <div className="gh-actions">
                <Button size="sm" variant="subtle" onClick={() => setDraft({ ...draft, name: `${draft.name} ` })}>
                  Rename
                </Button>
              </div>
            )}
            <Section title={rule ? `Against version ${version}` : 'What it would change'}>
              <Problem of={preview.refusal} />
              {seen ? (
                <Effect seen={seen} />
              ) : (
                !preview.refusal && (
                  <p className="gh-s gh-2 gh-line">
                    <Glyph name="none" size={14} />
                    {dirty ? (may ? 'Computing whom it touches.' : '') : 'Nothing is changed.'}
                  </p>
                )
              )}
            </Section>
          </Section>
          <div className={c.cedar}>
            <header>
              <b>Cedar</b> written from the sentence
            </header>
            <CedarLines
              text={cedar ?? '// it is written when the sentence is whole'}
              on={on}
              label="The rule in Cedar"
            />
            <footer>
              {cedar === undefined ? (
                <span>Not yet</span>
              ) : (
                <State is="ok" quiet>
                  Valid against the schema
                </State>
              )}
              <span className="gh-grow" />
              <span>
                {cedar !== undefined && countOf((cedar.match(/^(permit|forbid)/gm) ?? []).length, 'statement')}
              </span>
            </footer>
          </div>
        </div>
        <Section title="Backtest" note="recorded calls through the draft">
          {dirty && seen ? (
            <StartBacktest changes={[wish]} onStarted={setBacktest} />
          ) : (
            backtest === undefined && (
              <p className="gh-s gh-2">
                Change the sentence, and the calls of the last days say what that would have done.
              </p>
            )
          )}
          {backtest !== undefined && <BacktestRun id={backtest} />}
        </Section>
        <SaveDialog
          title={`Save version ${version + 1}?`}
          act={
            losers(seen) > 0 ? `Save, and limit ${countOf(losers(seen), 'person', 'people')}` : 'Save and put in force'
          }
          seen={seen}
          opened={dialog === 'save'}
          onClose={() => setDialog(undefined)}
          busy={add.busy || replace.busy}
          refusal={add.refusal ?? replace.refusal}
          optional
          onSave={(reason) => void save(reason)}
        />
        <SaveDialog
          title={`Remove the rule “${rule?.name ?? ''}”?`}
          act={
            losers(removing.seen) > 0
              ? `Remove it, and limit ${countOf(losers(removing.seen), 'person', 'people')}`
              : 'Remove it'
          }
          seen={removing.seen}
          opened={dialog === 'remove'}
          onClose={() => setDialog(undefined)}
          busy={remove.busy}
          refusal={remove.refusal ?? removing.refusal}
          optional
          danger
          onSave={(reason) => void takeAway(reason)}
        >
          {removing.seen && <Effect seen={removing.seen} />}
        </SaveDialog>
      </div>
    </PartContext>
  );
}
