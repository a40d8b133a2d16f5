import { Tabs } from '@mantine/core';
import { State } from '@gatehouse/ui/parts.tsx';
import { Suspense, type ReactNode } from 'react';
import { useAddress } from '../../kit/address.ts';
import { Bones } from '../../kit/bones.tsx';
import { GoButton } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { EnforcementPanel } from './enforcement-panel.tsx';
import c from './sso.module.css';
import { TestPanel } from './test-panel.tsx';

const inTabs = { tab: 'test' };

/** A connection's page: head, tabs, and the tab with the test beside what enforcing would do. */
export function ConnectionPage({
  id,
  name,
  way,
  state,
  says,
  actions,
  tabs,
}: {
  id: string;
  name: string;
  way: string;
  state: 'active' | 'disabled';
  says: ReactNode;
  actions: ReactNode;
  tabs: readonly { value: string; label: string; panel: ReactNode }[];
}) {
  const [at, set] = useAddress(inTabs);
  return (
    <div className="gh-page">
      <PageHead
        room="Sign-in"
        roomAt="identity/sign-in"
        title={`${name}, ${way}`}
        actions={
          <>
            <GoButton to="identity/trace" search={{ q: id }}>
              Sign-in trace
            </GoButton>
            {actions}
          </>
        }
      >
        <span className={c.said}>
          {state === 'active' ? (
            <State is="ok" quiet>
              On
            </State>
          ) : (
            <State is="none">Off: nobody signs in through it</State>
          )}
          <span>{says}</span>
        </span>
      </PageHead>
      <Tabs value={at.tab} onChange={(tab) => set({ tab: tab ?? 'test' })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="test">Test and enforcement</Tabs.Tab>
          {tabs.map((t) => (
            <Tabs.Tab key={t.value} value={t.value}>
              {t.label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="test" pt={20}>
          <div className={c.cols}>
            <TestPanel connection={id} name={name} />
            <Suspense fallback={<Bones />}>
              <EnforcementPanel />
            </Suspense>
          </div>
        </Tabs.Panel>
        {tabs.map((t) => (
          <Tabs.Panel key={t.value} value={t.value} pt={20}>
            {t.panel}
          </Tabs.Panel>
        ))}
      </Tabs>
    </div>
  );
}
