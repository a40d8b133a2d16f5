import { Button, Drawer, Select } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listBaseline, setBaseline } from '@gatehouse/client/dlp.ts';
import { Head, Tag } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import type { LoaderContext } from '../page.ts';
import c from './dlp.module.css';
import {
  actionNames,
  actions,
  ActionState,
  classesOf,
  phaseNames,
  phases,
  useClasses,
  type Action,
  type Phase,
} from './words.tsx';

export const loader = ({ org, ask, askRows, search }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listBaseline, classesOf(org)),
    askRows(listBaseline, { org, query: search['q'] ? { q: search['q'] } : {} }),
  ]);

type DataClass = OutputOf<typeof listBaseline>['items'][number];
/** What may be said for a way: nobody can be asked about what has come back already. */
const possible = (p: Phase): readonly Action[] => actions.filter((a) => a !== 'require_approval' || p === 'arguments');

/** Every kind of data that can be found, and what happens to it where no policy speaks. */
export function Page() {
  const org = useOrg();
  const classes = useClasses();
  const [open, setOpen] = useState<DataClass>();
  const one = (x: DataClass): Action | undefined => {
    const said = new Set(Object.values(x.phases));
    return said.size === 1 ? x.phases.arguments : undefined;
  };
  return (
    <div className="gh-page">
      <Head room="DLP" roomHref={`/portal/${org}/dlp/findings`} title="Baseline">
        What happens to each kind of data where no policy says otherwise.
      </Head>
      <DataTable
        op={listBaseline}
        input={{ org }}
        name="kinds of data"
        row={(x) => x.data}
        onRow={setOpen}
        searchable="Search kinds of data"
        columns={[
          { head: 'Data', cell: (x) => <b>{classes.nameOf(x.data)}</b>, value: (x) => classes.nameOf(x.data) },
          { head: 'Finds', cell: (x) => x.finds, value: (x) => x.finds, width: 'minmax(200px, 2fr)' },
          { head: 'Severity', cell: (x) => <Tag>{x.severity}</Tag>, value: (x) => x.severity, width: '100px' },
          {
            head: 'What happens',
            cell: (x) => {
              const a = one(x);
              return a ? <ActionState of={a} /> : 'differs by way';
            },
            value: (x) => actionNames[x.phases.arguments],
            width: '190px',
          },
        ]}
        empty={<p>There is nothing to find.</p>}
      />
      {open && <Edit of={open} name={classes.nameOf(open.data)} onClose={() => setOpen(undefined)} />}
    </div>
  );
}

function Edit({ of: x, name, onClose }: { of: DataClass; name: string; onClose(): void }) {
  const org = useOrg();
  const may = useMay('policy.manage').ok;
  const [said, setSaid] = useState(x.phases);
  const set = useDo(setBaseline);
  const changed = phases.filter((p) => said[p] !== x.phases[p]);
  const save = async (): Promise<void> => {
    const body = Object.fromEntries(changed.map((p) => [p, said[p]]));
    await set.run({ org, data: x.data, body });
    onClose();
  };
  return (
    <Drawer opened onClose={onClose} position="right" size={536} padding={24} title={name}>
      <div className={c.drawer}>
        <p className="gh-s gh-2">
          {x.finds}. By default Gatehouse {actionNames[x.default]}.
        </p>
        <div className={c.phases}>
          {phases.map((p) => (
            <Select
              key={p}
              label={phaseNames[p]}
              disabled={!may}
              data={possible(p).map((a) => ({ value: a, label: actionNames[a] }))}
              value={said[p]}
              onChange={(to) => setSaid({ ...said, [p]: actions.find((a) => a === to) ?? said[p] })}
            />
          ))}
        </div>
        <p className="gh-s gh-2" role="status">
          {changed.length === 0
            ? 'Nothing is changed.'
            : changed.map((p) => `${phaseNames[p]}: ${actionNames[x.phases[p]]} → ${actionNames[said[p]]}`).join('; ')}
        </p>
        <Problem of={set.refusal} />
        <div className="gh-actions">
          <Button onClick={onClose}>Back</Button>
          <Act
            can="policy.manage"
            variant="filled"
            disabled={changed.length === 0}
            loading={set.busy}
            onClick={() => void save()}
          >
            Put in force
          </Act>
        </div>
      </div>
    </Drawer>
  );
}
