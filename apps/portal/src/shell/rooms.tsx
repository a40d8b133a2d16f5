import {
  IconActivity,
  IconAddressBook,
  IconFingerprint,
  IconHome2,
  IconPlug,
  IconScale,
  IconScan,
  IconUser,
} from '@tabler/icons-react';
import { Glyph } from '@gatehouse/ui/glyphs.tsx';
import { Link, useLocation } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';
import { useHere } from '../kit/org.tsx';
import { useWaiting } from '../kit/waiting.ts';
import { navPages, roomNames, rooms, type RoomName } from '../pages/rooms.ts';
import c from './shell.module.css';

const icon = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;
const icons: Record<RoomName, ReactNode> = {
  start: <IconHome2 {...icon} />,
  identity: <IconFingerprint {...icon} />,
  directory: <IconAddressBook {...icon} />,
  connectors: <IconPlug {...icon} />,
  policy: <IconScale {...icon} />,
  approvals: <Glyph name="held" />,
  dlp: <IconScan {...icon} />,
  audit: <IconActivity {...icon} />,
  mine: <IconUser {...icon} />,
};

const Count = ({ n }: { n: number }) => (
  <span className={c.count}>
    <Glyph name="held" size={12} />
    {n}
    <span className="gh-vh"> {n === 1 ? 'needs' : 'need'} a person</span>
  </span>
);

/** A link to an address of the portal. Addresses come from the tables of pages, so their types are not the router's. */
export const To = ({
  at,
  className,
  current,
  children,
  inside,
  onClick,
}: {
  at: string;
  className?: string | undefined;
  current?: boolean;
  inside?: boolean;
  children: ReactNode;
  onClick?: () => void;
}) => {
  const { org } = useHere();
  return (
    <Link
      to={`/$org/${at}` as never}
      params={{ org } as never}
      search={{} as never}
      className={className}
      activeOptions={{ exact: true }}
      activeProps={{}}
      aria-current={current ? 'page' : undefined}
      data-in={inside || undefined}
      {...(onClick ? { onClick } : {})}
    >
      {children}
    </Link>
  );
};

/** The rooms that somebody may enter; the current one shows its pages. A number is how many things wait there for a person. */
export function Rooms({ onGo }: { onGo?: () => void }) {
  const { may } = useHere();
  const waiting = useWaiting();
  const here = useLocation({ select: (l) => l.pathname.split('/').slice(2).join('/') });
  return (
    <nav className={c.rooms} aria-label="Rooms">
      {roomNames.map((name) => {
        const pages = navPages(name, may);
        const [first] = pages;
        if (!first) return null;
        const inside = here.split('/')[0] === first.at.split('/')[0];
        const alone = pages.length === 1;
        const n = waiting[name] ?? 0;
        return (
          <Fragment key={name}>
            {name === 'mine' && roomNames.some((r) => r !== 'mine' && navPages(r, may).length > 0) && (
              <div className={c.rule} role="presentation" />
            )}
            <To
              at={first.at}
              className={c.room}
              current={inside && (alone || here === first.at)}
              inside={inside}
              {...(onGo ? { onClick: onGo } : {})}
            >
              {icons[name]}
              {rooms[name].name}
              {n > 0 && <Count n={n} />}
            </To>
            {inside && !alone && (
              <div className={c.sub}>
                {pages.map((p) => (
                  <To
                    key={p.at}
                    at={p.at}
                    className={c.room}
                    current={here === p.at || (p !== first && here.startsWith(`${p.at}/`))}
                    {...(onGo ? { onClick: onGo } : {})}
                  >
                    {p.title}
                  </To>
                ))}
              </div>
            )}
          </Fragment>
        );
      })}
    </nav>
  );
}
