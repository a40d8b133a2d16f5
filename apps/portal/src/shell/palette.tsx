import { Modal } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { Kbd } from '@gatehouse/ui/parts.tsx';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useHere } from '../kit/org.tsx';
import { navPages, roomNames, rooms } from '../pages/rooms.ts';
import { idTargets } from './id-targets.ts';
import c from './shell.module.css';

const icon = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;
type Command = {
  group: string;
  name: string;
  note?: string;
  at: string;
  search?: Record<string, string>;
  words: string;
};

/** Every page by its name, and whatever a pasted id names. Arrows choose, Enter goes, Escape leaves. */
export function Palette({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { org, may } = useHere();
  const navigate = useNavigate();
  const [q, setQ] = useState('');
  const [at, setAt] = useState(0);
  const pages: Command[] = roomNames.flatMap((room) =>
    navPages(room, may).map((p) => ({
      group: 'Go to',
      name: p.title,
      ...(p.title === rooms[room].name ? {} : { note: rooms[room].name }),
      at: p.at,
      words: `${rooms[room].name} ${p.title} ${p.words ?? ''}`.toLowerCase(),
    })),
  );
  const asked = q.trim().toLowerCase();
  const found = [
    ...idTargets(q.trim(), may).map((t): Command => ({ group: 'Find', words: '', ...t })),
    ...pages.filter((p) => asked.split(/\s+/).every((word) => p.words.includes(word))),
  ];
  const close = (): void => {
    setQ('');
    setAt(0);
    onClose();
  };
  const go = (command: Command | undefined): void => {
    if (!command) return;
    close();
    void navigate({
      to: `/$org/${command.at}` as never,
      params: { org } as never,
      search: (command.search ?? {}) as never,
    });
  };
  return (
    <Modal.Root opened={opened} onClose={close} padding={0} size={560} yOffset="12vh">
      <Modal.Overlay />
      <Modal.Content aria-label="Search or do">
        <div className={c.cmd}>
          <input
            data-autofocus
            role="combobox"
            aria-expanded="true"
            aria-controls="palette"
            aria-activedescendant={found[at] ? `palette-${at}` : undefined}
            aria-label="Search or do"
            placeholder="A page, an id, or something to do"
            value={q}
            onChange={(e) => {
              setQ(e.currentTarget.value);
              setAt(0);
            }}
            onKeyDown={(e) => {
              if (e.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1));
              if (e.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
              if (e.key === 'Enter') go(found[at]);
            }}
          />
          <ul role="listbox" id="palette" aria-label="Results">
            {found.map((f, i) => [
              found[i - 1]?.group !== f.group && (
                <li key={f.group} role="presentation">
                  {f.group}
                </li>
              ),
              <li
                key={`${f.at}${f.name}`}
                id={`palette-${i}`}
                role="option"
                aria-selected={i === at}
                onClick={() => go(f)}
              >
                <IconArrowRight {...icon} />
                {f.name}
                {f.note && <small>{f.note}</small>}
              </li>,
            ])}
            {found.length === 0 && (
              <li role="option" aria-selected="false" aria-disabled="true">
                Nothing is called “{q}”. Ids can be pasted whole.
              </li>
            )}
          </ul>
          <footer>
            <span>
              <Kbd>↑</Kbd> <Kbd>↓</Kbd> move
            </span>
            <span>
              <Kbd>↵</Kbd> choose
            </span>
            <span>
              <Kbd>esc</Kbd> leave
            </span>
          </footer>
        </div>
      </Modal.Content>
    </Modal.Root>
  );
}
