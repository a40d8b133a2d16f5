import { Tabs } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listControls, readAfterReading, readSettings, removeControl } from '@gatehouse/client/policy.ts';
import { Head, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import { connectorsOf, useConnectors } from '../../kit/choose.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { ControlDialog } from './control-dialog.tsx';
import { Defaults } from './defaults.tsx';

import { Effect, usePreview } from './effect.tsx';
import { losers, SaveDialog } from './save-dialog.tsx';
import { Types } from './types.tsx';

export const loader = ({ org, ask, askRows }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnectors, connectorsOf(org)),
    ask(readSettings, { org }),
    ask(readAfterReading, { org }),
    askRows(listControls, { org, query: {} }),
  ]);

type Control = OutputOf<typeof listControls>['items'][number];
export const accessNames = {
  blocked: 'nothing, whatever a rule says',
  off: 'nothing but by rules',
  read: 'read',
  read_write: 'read and write',
} as const;
const shown = { show: 'controls' };
const tabs = ['controls', 'types', 'default'];

/** What holds without any rule: by connector, by kind of system, and by default. */
export function Page() {
  const org = useOrg();
  const [at, set] = useAddress(shown);
  const tab = tabs.includes(at.show) ? at.show : 'controls';
  const { words } = useAsk(readSettings, { org });
  return (
    <div className="gh-page">
      <Head room="Policy" roomHref={`/portal/${org}/policy/rules`} title="Controls">
        What holds without any rule. The organization is {words}.
      </Head>
      <Tabs value={tab} onChange={(to) => set({ show: to ?? 'controls' })}>
        <Tabs.List>
          <Tabs.Tab value="controls">Connectors</Tabs.Tab>
          <Tabs.Tab value="types">Kinds of systems</Tabs.Tab>
          <Tabs.Tab value="default">By default</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={tab} pt="md">
          {tab === 'controls' ? <Controls /> : tab === 'types' ? <Types /> : <Defaults />}
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

function Controls() {
  const org = useOrg();
  const { orgName } = useHere();
  const connectors = useConnectors();
  const [adding, setAdding] = useState(false);
  const [gone, setGone] = useState<Control>();
  const remove = useDo(removeControl);
  const preview = usePreview(gone && { kind: 'remove_control', control: gone.id });
  const whoOf = (x: Control): string =>
    x.who.kind === 'everyone' ? `anyone in ${orgName}` : (x.who.name ?? x.who.group ?? x.who.user ?? x.who.kind);
  const takeBack = async (reason: string): Promise<void> => {
    if (!gone || !preview.seen) return;
    const { version: expects, hash: previewed } = preview.seen;
    await remove.run({ org, control: gone.id, query: { reason, expects, previewed } });
    setGone(undefined);
  };
  const add = (
    <Act can="policy.manage" size="sm" onClick={() => setAdding(true)}>
      Set a control…
    </Act>
  );
  return (
    <>
      <DataTable
        op={listControls}
        input={{ org }}
        name="controls"
        row={(x) => x.id}
        searchable="Search groups and people"
        tools={add}
        height={48}
        columns={[
          { head: 'Whom', cell: (x) => <b>{whoOf(x)}</b>, value: whoOf },
          {
            head: 'Connector',
            cell: (x) => connectors.nameOf(x.connector),
            value: (x) => connectors.nameOf(x.connector),
          },
          {
            head: 'Has',
            cell: (x) =>
              x.access === 'blocked' ? (
                <State is="denied">{accessNames.blocked}</State>
              ) : (
                <State is={x.access === 'off' ? 'no' : 'answered'} quiet>
                  {accessNames[x.access]}
                </State>
              ),
            value: (x) => x.access,
            width: 'minmax(200px, 1.4fr)',
          },
          {
            head: 'Since, UTC',
            cell: (x) => (x.setAt === undefined ? '' : <At at={x.setAt} />),
            value: (x) => x.setAt ?? '',
            width: '150px',
          },
          {
            head: 'Act',
            cell: (x) => (
              <Act can="policy.manage" size="sm" onClick={() => setGone(x)}>
                Take it back…
              </Act>
            ),
            width: '140px',
          },
        ]}
        empty={
          <>
            <h2>No control yet</h2>
            <p>
              A control says what everyone, a group or a person has of a connector without any rule; or that a connector
              is off, whatever a rule says.
            </p>
            <div className="gh-actions">{add}</div>
          </>
        }
      />
      {adding && <ControlDialog onClose={() => setAdding(false)} />}
      <SaveDialog
        title={gone ? `Take back “${gone.words}”?` : ''}
        act={
          losers(preview.seen) > 0
            ? `Take it back, and limit ${countOf(losers(preview.seen), 'person', 'people')}`
            : 'Take it back'
        }
        seen={preview.seen}
        opened={gone !== undefined}
        onClose={() => setGone(undefined)}
        busy={remove.busy}
        refusal={remove.refusal ?? preview.refusal}
        danger
        onSave={(reason) => void takeBack(reason)}
      >
        {preview.seen && <Effect seen={preview.seen} />}
      </SaveDialog>
    </>
  );
}
