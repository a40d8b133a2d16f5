import { Button, Modal } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useId, type ReactNode } from 'react';
import { Problem } from '../../kit/problem.tsx';
import c from './people.module.css';

type Refusal = Parameters<typeof Problem>[0]['of'];

/** Asks before something is done: the question, what follows from it, then Back and the act. `wait`: why it cannot be done yet. */
export function Confirm({
  open,
  title,
  act,
  danger = false,
  busy = false,
  wait,
  refusal,
  onAct,
  onClose,
  size = 500,
  children,
}: {
  open: boolean;
  title: string;
  act: string;
  danger?: boolean;
  busy?: boolean;
  wait?: string | undefined;
  refusal?: Refusal;
  onAct: () => void;
  onClose: () => void;
  size?: number;
  children: ReactNode;
}) {
  const why = useId();
  return (
    <Modal opened={open} onClose={onClose} title={title} size={size}>
      <form
        className={c.dialog}
        onSubmit={(e) => {
          e.preventDefault();
          if (wait === undefined) onAct();
        }}
      >
        {children}
        <Problem of={refusal} />
        <div className={c.foot}>
          {wait !== undefined && (
            <span className="gh-reason gh-grow" id={why}>
              <IconLock aria-hidden stroke={1.75} />
              <span>{wait}</span>
            </span>
          )}
          <Button onClick={onClose}>Back</Button>
          <Button
            type="submit"
            variant="filled"
            {...(danger ? { color: 'negative' } : {})}
            loading={busy}
            {...(wait === undefined ? {} : { 'aria-disabled': true, 'aria-describedby': why })}
          >
            {act}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
