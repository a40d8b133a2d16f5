import { ActionIcon } from '@mantine/core';
import { useHotkeys, useMediaQuery } from '@mantine/hooks';
import { IconChevronDown, IconMenu2, IconSearch, IconSelector } from '@tabler/icons-react';
import { Mark } from '@gatehouse/ui/glyphs.tsx';
import { Kbd } from '@gatehouse/ui/parts.tsx';
import { useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { useHere } from '../kit/org.tsx';
import { Live } from './live.tsx';
import { Rooms } from './rooms.tsx';
import { Tape } from './tape.tsx';
import c from './shell.module.css';

const overlays = () => import('./overlays.tsx');
const OrgMenu = lazy(() => overlays().then((m) => ({ default: m.OrgMenu })));
const MeMenu = lazy(() => overlays().then((m) => ({ default: m.MeMenu })));
const NavDrawer = lazy(() => overlays().then((m) => ({ default: m.NavDrawer })));
const Palette = lazy(() => import('./palette.tsx').then((m) => ({ default: m.Palette })));

const icon = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;
const roleWords: Record<string, string> = {
  primary_owner: 'Primary owner',
  owner: 'Owner',
  admin: 'Admin',
  auditor: 'Auditor',
  user: 'User',
};

/** The button paints at once; its menu arrives a moment later. */
const Org = () => {
  const { orgName } = useHere();
  const target = (
    <button type="button" className={`gh-plain ${c.org}`}>
      <Mark size={24} />
      <span>
        <b>{orgName}</b>
        <small>Gatehouse</small>
      </span>
      <span className="gh-vh">, switch organization</span>
      <IconSelector {...icon} color="var(--gh-text-3)" />
    </button>
  );
  return (
    <Suspense fallback={target}>
      <OrgMenu target={target} />
    </Suspense>
  );
};

const Me = () => {
  const { me } = useHere();
  const target = (
    <button type="button" className={`gh-plain ${c.me}`}>
      <span className={c.face} aria-hidden>
        {me.name.slice(0, 1)}
      </span>
      <span className="gh-cut">
        {me.name}
        <small>{roleWords[me.role] ?? me.role}</small>
      </span>
      <IconChevronDown {...icon} color="var(--gh-text-3)" />
    </button>
  );
  return (
    <Suspense fallback={target}>
      <MeMenu target={target} />
    </Suspense>
  );
};

/** A new page is read out and begins at its top: the focus goes to it, as after loading a document. */
function useArrival(): void {
  const at = useRouterState({ select: (s) => s.resolvedLocation?.pathname });
  useEffect(() => {
    if (document.activeElement?.closest('#main') === null || document.activeElement === document.body)
      document.querySelector<HTMLElement>('#main')?.focus({ preventScroll: true });
  }, [at]);
}

/** What stands around every page: rooms, search, the tape, the person. */
export function Shell({ children }: { children: ReactNode }) {
  const { orgName } = useHere();
  const [palette, setPalette] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const narrow = useMediaQuery('(max-width: 900px)', false, { getInitialValueInEffect: false });
  const busy = useRouterState({ select: (s) => s.status === 'pending' });
  const alone = useRouterState({ select: (s) => s.matches.some((m) => m.staticData.alone) });
  const find = (): void => {
    setDrawer(false);
    setPalette(true);
  };
  useHotkeys([
    ['mod+K', find],
    ['/', find],
  ]);
  useArrival();
  const inside = (
    <>
      <Rooms onGo={() => setDrawer(false)} />
      <Tape />
      <Me />
    </>
  );
  return (
    <div className={c.shell}>
      <a className={c.skip} href="#main">
        Skip to the page
      </a>
      {narrow && alone ? null : narrow ? (
        <header className={c.top}>
          <Mark size={20} />
          <b className="gh-grow gh-cut">{orgName}</b>
          <ActionIcon size="lg" aria-label="Search or do" onClick={find}>
            <IconSearch {...icon} size={18} />
          </ActionIcon>
          <ActionIcon size="lg" aria-label="Rooms" aria-expanded={drawer} onClick={() => setDrawer(true)}>
            <IconMenu2 {...icon} size={18} />
          </ActionIcon>
        </header>
      ) : (
        <aside className={c.side} aria-label="Gatehouse">
          <Org />
          <button type="button" className={c.find} onClick={find}>
            <IconSearch {...icon} />
            <span>Search or do</span>
            <Kbd>⌘</Kbd>
            <Kbd>K</Kbd>
          </button>
          {inside}
        </aside>
      )}
      {narrow && !alone && (
        <Suspense fallback={null}>
          <NavDrawer opened={drawer} onClose={() => setDrawer(false)} org={<Org />}>
            {inside}
          </NavDrawer>
        </Suspense>
      )}
      <main className={c.main} id="main" tabIndex={-1} aria-busy={busy || undefined}>
        {children}
      </main>
      <Suspense fallback={null}>
        <Palette opened={palette} onClose={() => setPalette(false)} />
      </Suspense>
      <Live />
    </div>
  );
}
