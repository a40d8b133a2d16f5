import { Button, Modal, Textarea } from '@mantine/core';
import type { Refusal } from '@gatehouse/client/call.ts';
import { useState, type ReactNode } from 'react';
import { Problem } from '../../kit/problem.tsx';
import { sumOf, type Previewed } from './effect.tsx';
import c from './policy.module.css';

/** How many people a change takes something from; it stands in the button that does it. */
export const losers = (seen: Previewed | undefined): number =>
  (seen?.counts.loses.people ?? 0) + (seen?.counts.narrower.people ?? 0);

/** The last step of a change of the policies: what it does, why, and the act with its number. */
export function SaveDialog({
  title,
  act,
  seen,
  opened,
  onClose,
  busy,
  refusal,
  optional = false,
  danger = false,
  onSave,
  children,
}: {
  title: string;
  act: string;
  seen: Previewed | undefined;
  opened: boolean;
  onClose(): void;
  busy: boolean;
  refusal: Refusal | undefined;
  /** Whether it may be made without a reason. */
  optional?: boolean;
  danger?: boolean;
  onSave(reason: string): void;
  children?: ReactNode;
}) {
  const [reason, setReason] = useState('');
  const missing = !optional && reason.trim() === '';
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={480}>
      <form
        className={c.dialog}
        onSubmit={(e) => {
          e.preventDefault();
          if (!missing && seen) onSave(reason.trim());
        }}
      >
        <p className="gh-s gh-2">
          {seen ? sumOf(seen) : 'Computing whom it touches.'} In force within a second on every node.
        </p>
        {children}
        <Textarea
          label={optional ? 'Reason, kept in the log (may be left out)' : 'Reason, kept in the log'}
          rows={3}
          maxLength={500}
          value={reason}
          onChange={(e) => setReason(e.currentTarget.value)}
          data-autofocus
        />
        <Problem of={refusal} />
        <div className={c.foot}>
          <Button onClick={onClose}>Back</Button>
          <Button
            type="submit"
            variant="filled"
            {...(danger ? { color: 'negative' } : {})}
            loading={busy}
            disabled={missing || !seen}
          >
            {act}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
