import { Button, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import {
  addCedar,
  readCedar,
  readCedarSchema,
  readSettings,
  removeCedar,
  replaceCedar,
} from '@gatehouse/client/policy.ts';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { Head, Section, State } from '@gatehouse/ui/parts.tsx';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { question, useAsk, useDo } from '../../kit/ask.ts';
import { connectorsOf } from '../../kit/choose.tsx';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { useGo } from '../../kit/use-go.ts';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { BacktestRun, StartBacktest } from './backtest-view.tsx';
import { CedarEditor, useCheck } from './cedar-editor.tsx';
import { CedarLines } from './cedar-view.tsx';
import type { Wish } from './draft.ts';
import { Effect, usePreview } from './effect.tsx';
import c from './policy.module.css';
import { losers, SaveDialog } from './save-dialog.tsx';

const NEW = 'new';
const begun = `forbid (
  principal,
  action == Action::"call",
  resource
)
when { resource.class == Class::"destructive" };
`;

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(readSettings, { org }),
    ask(listConnectors, connectorsOf(org)),
    ...(params['policy'] === NEW ? [] : [ask(readCedar, { org, policy: params['policy'] ?? '' })]),
  ]);

type Policy = OutputOf<typeof readCedar>;

export function Page() {
  const { policy = '' } = useParams({ strict: false }) as { policy?: string };
  return policy === NEW ? <Edit policy={undefined} /> : <Known id={policy} />;
}

function Known({ id }: { id: string }) {
  const org = useOrg();
  return <Edit policy={useAsk(readCedar, { org, policy: id })} />;
}

/** One policy in Cedar: the text with what is wrong in it, what it would change, and what it would have done. */
function Edit({ policy }: { policy: Policy | undefined }) {
  const org = useOrg();
  const go = useGo();
  const may = useMay('policy.manage').ok;
  const { version } = useAsk(readSettings, { org });
  const [name, setName] = useState(policy?.name ?? '');
  const [cedar, setCedar] = useState(policy?.cedar ?? begun);
  const [dialog, setDialog] = useState<'save' | 'remove'>();
  const [backtest, setBacktest] = useState<string>();
  const [schema, setSchema] = useState(false);
  const dirty = policy === undefined || name !== policy.name || cedar !== policy.cedar;
  const named = name.trim() !== '';
  const wish: Wish = {
    kind: 'save_cedar',
    policy: { ...(policy ? { id: policy.id } : {}), name: named ? name.trim() : 'a new policy', cedar },
  };
  const check = useCheck(cedar, dirty);
  const preview = usePreview(may && dirty && check.now && check.checked ? wish : undefined);
  const removing = usePreview(dialog === 'remove' && policy ? { kind: 'remove_cedar', policy: policy.id } : undefined);
  const [add, replace, remove] = [useDo(addCedar), useDo(replaceCedar), useDo(removeCedar)];
  const { seen } = preview;
  const remarks = dirty ? check.errors : [];
  const checked = dirty ? check.checked : policy;

  const save = async (reason: string): Promise<void> => {
    const saying = { reason, ...(seen ? { expects: seen.version, previewed: seen.hash } : {}) };
    const body = { name: name.trim(), cedar, ...saying };
    const done = policy ? await replace.run({ org, policy: policy.id, body }) : await add.run({ org, body });
    if (!done) return;
    setDialog(undefined);
    setBacktest(undefined);
    if (!policy) go(`policy/cedar/${done.id}`);
  };
  const takeAway = async (reason: string): Promise<void> => {
    if (!policy || !removing.seen) return;
    const { version: expects, hash: previewed } = removing.seen;
    await remove.run({ org, policy: policy.id, query: { reason, expects, previewed } });
    go('policy/cedar');
  };
  return (
    <div className="gh-page">
      <Head
        room="Cedar"
        roomHref={`/portal/${org}/policy/cedar`}
        title={named ? name : 'A new policy'}
        actions={
          <>
            {policy && !dirty && (
              <Act can="policy.manage" onClick={() => setDialog('remove')}>
                Remove it…
              </Act>
            )}
            {policy && dirty && (
              <Button
                onClick={() => {
                  setName(policy.name);
                  setCedar(policy.cedar);
                }}
              >
                Discard the draft
              </Button>
            )}
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
        {policy && <span className="gh-id">{policy.id}</span>}
        {policy
          ? ` · ${dirty ? 'draft of' : 'in force,'} version ${dirty ? version + 1 : version}.`
          : 'One policy in Cedar, validated strictly against the schema.'}
      </Head>
      <div className={c.cols}>
        <Section title="The policy">
          {may && (
            <TextInput
              label="Name"
              description="Refusals name it, to people and to agents."
              maxLength={120}
              value={name}
              onChange={(e) => setName(e.currentTarget.value)}
            />
          )}
          <div className={c.cedar}>
            <CedarEditor value={cedar} onChange={setCedar} remarks={remarks} readOnly={!may} />
            <footer>
              {remarks.length > 0 ? (
                <State is="broken">{countOf(remarks.length, 'mistake')}</State>
              ) : checked ? (
                <State is="ok" quiet>
                  Valid against the schema
                </State>
              ) : (
                <span>Checking it</span>
              )}
              <span className="gh-grow" />
              {checked && (
                <span>
                  {checked.engine === 'compiled'
                    ? 'decided by our compiler'
                    : `decided by the reference engine: ${checked.lacks ?? ''}`}
                </span>
              )}
            </footer>
          </div>
          {checked?.warnings.map((w) => (
            <State key={w} is="caution">
              {w}
            </State>
          ))}
          <div className="gh-actions">
            <Button size="sm" variant="subtle" aria-expanded={schema} onClick={() => setSchema((was) => !was)}>
              {schema ? 'Hide the schema' : 'Show the schema'}
            </Button>
          </div>
          {schema && <Schema />}
        </Section>
        <Section title={policy ? `Against version ${version}` : 'What it would change'}>
          <Problem of={preview.refusal} />
          {seen ? (
            <Effect seen={seen} />
          ) : (
            <p className="gh-s gh-2">
              {remarks.length > 0
                ? 'It is told once the text is valid.'
                : dirty && may
                  ? 'Computing whom it touches.'
                  : 'Nothing is changed.'}
            </p>
          )}
        </Section>
      </div>
      <Section title="Backtest" note="recorded calls through the draft">
        {dirty && seen ? (
          <StartBacktest changes={[wish]} onStarted={setBacktest} />
        ) : (
          backtest === undefined && (
            <p className="gh-s gh-2">Change the text, and recorded calls say what it would have done.</p>
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
        onSave={(reason) => void save(reason)}
      />
      <SaveDialog
        title={`Remove “${policy?.name ?? ''}”?`}
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
        danger
        onSave={(reason) => void takeAway(reason)}
      >
        {removing.seen && <Effect seen={removing.seen} />}
      </SaveDialog>
    </div>
  );
}

function Schema() {
  const org = useOrg();
  const { data } = useQuery(question(readCedarSchema, { org }));
  return (
    <div className={`${c.cedar} ${c.schema}`}>{data && <CedarLines text={data.schema} label="The Cedar schema" />}</div>
  );
}
