import { Button, Modal, Tabs } from '@mantine/core';
import { check, edit, get, listTools, refreshTools } from '@gatehouse/client/connectors.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { Banner, Facts, Hash, Head, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { AccessPanel } from './access-panel.tsx';
import { AccountPanel } from './account-panel.tsx';
import c from './connectors.module.css';
import { LimitsPanel } from './limit-form.tsx';
import { SettingsPanel } from './settings-panel.tsx';
import { ToolsPanel } from './tools-panel.tsx';
import { accessWords, actsAsWords, OWN_SERVER, type Connector } from './words.ts';

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> => {
  const at = { org, con: params['con'] ?? '' };
  return Promise.all([ask(get, at), ask(listTools, at)]);
};

const defaults = { tab: 'tools' };

/** One connector in full. */
export function Page() {
  const org = useOrg();
  const { con = '' } = useParams({ strict: false }) as { con?: string };
  const at = { org, con };
  const of = useAsk(get, at);
  const { items: tools } = useAsk(listTools, at);
  const [{ tab }, set] = useAddress(defaults);
  const [checked, setChecked] = useState<OutputOf<typeof check>>();
  const [seen, setSeen] = useState<OutputOf<typeof refreshTools>>();
  const [turning, setTurning] = useState(false);
  const tried = useDo(check, { done: setChecked });
  const refreshed = useDo(refreshTools, { also: ['mine'], done: setSeen });
  const usable = tools.filter((t) => t.state === 'reviewed').length;
  return (
    <div className="gh-page">
      <Head
        room="Connectors"
        roomHref={`/portal/${org}/connectors`}
        title={of.name}
        actions={
          <>
            {of.mode === 'remote' && (
              <Act can="connector.manage" loading={refreshed.busy} onClick={() => void refreshed.run(at)}>
                Ask for its tools
              </Act>
            )}
            {of.type !== OWN_SERVER && (
              <Act can="connector.manage" loading={tried.busy} onClick={() => void tried.run(at)}>
                Check it
              </Act>
            )}
            <Act can="connector.manage" onClick={() => setTurning(true)}>
              {of.state === 'on' ? 'Switch off…' : 'Switch on…'}
            </Act>
          </>
        }
      >
        {of.state === 'on'
          ? `${countOf(usable, 'tool')} of ${tools.length} can be used, by whoever a rule or a control allows.`
          : 'Switched off for everyone. Its tools, connections and reviews are kept.'}
      </Head>
      <Problem of={tried.refusal ?? refreshed.refusal} />
      {checked && <Checked of={checked} />}
      {seen && <Asked of={seen} />}
      <Facts
        of={[
          [
            'Address for agents',
            <Hash key="mcp" label="address" head={90}>
              {of.mcp}
            </Hash>,
          ],
          ['Type', `${of.type}, ${of.mode === 'builtin' ? 'with tools of ours' : `at ${of.url}`}`],
          ['Calls use', actsAsWords[of.actAs]],
          ['For', accessWords[of.access]],
        ]}
      />
      <Tabs value={tab} onChange={(to) => set({ tab: to ?? 'tools' })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="tools">Tools</Tabs.Tab>
          <Tabs.Tab value="who">Who may use it</Tabs.Tab>
          {of.type !== OWN_SERVER && <Tabs.Tab value="account">Account</Tabs.Tab>}
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
          <Tabs.Tab value="limits">Limits</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="tools" pt="lg">
          <ToolsPanel of={of} tools={tools} />
        </Tabs.Panel>
        <Tabs.Panel value="who" pt="lg">
          <AccessPanel of={of} />
        </Tabs.Panel>
        <Tabs.Panel value="account" pt="lg">
          <AccountPanel of={of} />
        </Tabs.Panel>
        <Tabs.Panel value="settings" pt="lg">
          <SettingsPanel of={of} />
        </Tabs.Panel>
        <Tabs.Panel value="limits" pt="lg">
          <LimitsPanel con={con} />
        </Tabs.Panel>
      </Tabs>
      {turning && <Turn of={of} usable={usable} onClose={() => setTurning(false)} />}
    </div>
  );
}

/** What a check found: whose account it is, and which tools answered. What they answered is shown to nobody. */
function Checked({ of }: { of: OutputOf<typeof check> }) {
  const bad = of.tools.filter((t) => t.outcome === 'refused');
  const works = of.tools.filter((t) => t.outcome === 'works').length;
  const title = of.wrong
    ? 'Its account cannot be used'
    : bad.length > 0
      ? `${countOf(bad.length, 'tool')} did not answer`
      : `It works${of.account ? ` as ${of.account}` : ''}`;
  return (
    <Banner is={of.wrong || bad.length > 0 ? 'caution' : 'ok'} title={title}>
      {of.wrong ??
        `${countOf(works, 'tool')} answered; ${of.tools.length - works - bad.length} need arguments or change things, and were not tried.`}
      {bad.map((t) => (
        <span key={t.tool}>
          {' '}
          {t.tool}: {t.says}
          {t.missingScopes.length > 0 && ` (missing: ${t.missingScopes.join(' ')})`}.
        </span>
      ))}
    </Banner>
  );
}

function Asked({ of }: { of: OutputOf<typeof refreshTools> }) {
  const parts = [
    of.added.length > 0 && `${of.added.length} new`,
    of.changed.length > 0 && `${of.changed.length} changed`,
    of.restored.length > 0 && `${of.restored.length} as reviewed again`,
    of.removed.length > 0 && `${of.removed.length} no longer offered`,
    of.refused.length > 0 && `${of.refused.length} refused`,
  ].filter((p) => p !== false);
  return (
    <Banner
      is={of.changed.length + of.added.length + of.refused.length > 0 ? 'held' : 'ok'}
      title={parts.length === 0 ? 'Its tools are as they were' : `Its tools: ${parts.join(', ')}`}
    >
      {of.added.length + of.changed.length > 0 && 'What is new or changed waits for a review. '}
      {of.refused.map((r) => `${r.name}: ${r.why}. `)}
    </Banner>
  );
}

function Turn({ of, usable, onClose }: { of: Connector; usable: number; onClose: () => void }) {
  const org = useOrg();
  const off = of.state === 'on';
  const save = useDo(edit, { also: ['mine', 'policy'], done: onClose });
  return (
    <Modal opened onClose={onClose} title={`Switch ${of.name} ${off ? 'off' : 'on'} for everyone?`} size={480}>
      <div className={c.stack}>
        <State is={off ? 'minus' : 'plus'}>{countOf(usable, 'tool')}</State>
        <p className="gh-s gh-2">
          {off
            ? 'Nobody can call it from now on; a call under way is ended. Connections and reviews are kept, so it can be switched on again as it was.'
            : 'Whoever a rule or a control allows can call its reviewed tools at once.'}
        </p>
        <Problem of={save.refusal} />
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button
            variant="filled"
            {...(off ? { color: 'negative' } : {})}
            loading={save.busy}
            onClick={() => void save.run({ org, con: of.id, body: { state: off ? 'off' : 'on' } })}
          >
            Switch {off ? 'off' : 'on'} for everyone
          </Button>
        </div>
      </div>
    </Modal>
  );
}
