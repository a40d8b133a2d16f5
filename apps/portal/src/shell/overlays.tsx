// Menus and drawer: loaded after the first paint, so that the first chunk carries no floating code.
import { ActionIcon, Drawer, Menu, useMantineColorScheme } from '@mantine/core';
import { IconCheck, IconDeviceDesktop, IconLogout, IconMoon, IconSun, IconX } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import type { ReactElement, ReactNode } from 'react';
import { useHere } from '../kit/org.tsx';
import c from './shell.module.css';

const icon = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

/** The organizations that the person is in. */
export function OrgMenu({ target }: { target: ReactElement }) {
  const { org, orgs } = useHere();
  const navigate = useNavigate();
  return (
    <Menu width={264}>
      <Menu.Target>{target}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Your organizations</Menu.Label>
        {orgs.map((o) => (
          <Menu.Item
            key={o.id}
            rightSection={o.id === org ? <IconCheck {...icon} /> : undefined}
            onClick={() => void navigate({ to: '/$org', params: { org: o.id } })}
          >
            {o.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Signing out is a form of the server's own pages; the browser follows where it leads. */
function signOut(): void {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = '/sign-out';
  document.body.append(form);
  form.submit();
}

export function MeMenu({ target }: { target: ReactElement }) {
  const { setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="top-start" width={200}>
      <Menu.Target>{target}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconSun {...icon} />} onClick={() => setColorScheme('light')}>
          Light
        </Menu.Item>
        <Menu.Item leftSection={<IconMoon {...icon} />} onClick={() => setColorScheme('dark')}>
          Dark
        </Menu.Item>
        <Menu.Item leftSection={<IconDeviceDesktop {...icon} />} onClick={() => setColorScheme('auto')}>
          As the system
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout {...icon} />} onClick={signOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

export const NavDrawer = ({
  opened,
  onClose,
  org,
  children,
}: {
  opened: boolean;
  onClose: () => void;
  org: ReactNode;
  children: ReactNode;
}) => (
  <Drawer.Root opened={opened} onClose={onClose} size={288} position="right">
    <Drawer.Overlay />
    <Drawer.Content aria-label="Rooms">
      <div className={c.drawer}>
        <div className="gh-line">
          <div className="gh-grow">{org}</div>
          <ActionIcon size="lg" aria-label="Close" onClick={onClose}>
            <IconX {...icon} size={18} />
          </ActionIcon>
        </div>
        {children}
      </div>
    </Drawer.Content>
  </Drawer.Root>
);
