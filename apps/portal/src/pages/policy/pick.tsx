import { Popover } from '@mantine/core';
import { createContext, useContext, useState, type ReactNode } from 'react';
import c from './policy.module.css';

/** A part of the sentence; the lines of Cedar that say it light up with it. */
export type Part = 'who' | 'tools' | 'where' | 'when' | 'does' | 'approver' | 'manner';
export const PartContext = createContext<{ on: Part | undefined; setOn(part: Part | undefined): void }>({
  on: undefined,
  setOn: () => undefined,
});

/** A part of a sentence that is a button: what it opens changes it. Without `children` it is only said. */
export function Pick({
  part,
  says,
  label,
  changed = false,
  children,
}: {
  part: Part;
  says: string;
  /** What is chosen here, for those who hear the page. */
  label: string;
  changed?: boolean;
  children?: (close: () => void) => ReactNode;
}) {
  const { on, setOn } = useContext(PartContext);
  const [open, setOpen] = useState(false);
  const lit = {
    onMouseEnter: () => setOn(part),
    onMouseLeave: () => setOn(undefined),
    onFocus: () => setOn(part),
    onBlur: () => setOn(undefined),
  };
  if (!children) return <b className={c.said}>{says}</b>;
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" trapFocus returnFocus shadow="none">
      <Popover.Target>
        <button
          type="button"
          className={c.pick}
          data-new={changed || undefined}
          data-on={on === part || undefined}
          {...lit}
          onClick={() => setOpen((was) => !was)}
        >
          <span className="gh-vh">Change {label}: </span>
          {says}
        </button>
      </Popover.Target>
      <Popover.Dropdown className={c.drop} aria-label={label}>
        {open && children(() => setOpen(false))}
      </Popover.Dropdown>
    </Popover>
  );
}
