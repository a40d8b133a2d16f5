import { Button, Modal, Textarea } from '@mantine/core';
import { get } from '@gatehouse/client/approvals.ts';
import { call } from '@gatehouse/client/call.ts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import c from './approvals.module.css';

/** The call as it is hashed. It is asked for when somebody wants it: that somebody looked is recorded again. */
export function Raw({
  org,
  approval,
  opened,
  onClose,
}: {
  org: string;
  approval: string;
  opened: boolean;
  onClose(): void;
}) {
  const { data: a } = useQuery({
    queryKey: ['raw call', org, approval],
    queryFn: ({ signal }) => call(get, { org, approval }, signal),
    enabled: opened,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const { args, also, connector, tool, pin } = a ?? {};
  return (
    <Modal opened={opened} onClose={onClose} title="The call, as hashed" size={560}>
      <div className="gh-well">
        <pre className={c.raw} tabIndex={0} role="region" aria-label="The call">
          {a ? JSON.stringify({ connector, tool, pin, args, also }, null, 2) : 'Reading it.'}
        </pre>
      </div>
    </Modal>
  );
}

/** A no with why; without a reason, Deny is one click. */
export function DenyDialog({
  opened,
  asker,
  onClose,
  onDeny,
}: {
  opened: boolean;
  asker: string;
  onClose(): void;
  onDeny(reason: string): void;
}) {
  const [reason, setReason] = useState('');
  return (
    <Modal opened={opened} onClose={onClose} title="Deny with a reason" size={440}>
      <div className={c.dialog}>
        <p className="gh-s gh-2">
          {asker} and the agent are told it. The same call is denied for ten minutes without asking you.
        </p>
        <Textarea
          label="Reason"
          rows={3}
          maxLength={1000}
          value={reason}
          onChange={(e) => setReason(e.currentTarget.value)}
          data-autofocus
        />
        <div className={c.buttons}>
          <Button onClick={onClose}>Back</Button>
          <Button variant="filled" color="negative" onClick={() => onDeny(reason)}>
            Deny it
          </Button>
        </div>
      </div>
    </Modal>
  );
}

/** Before a request of one's own is taken back. */
export const CancelDialog = ({
  opened,
  busy,
  onClose,
  onCancel,
}: {
  opened: boolean;
  busy: boolean;
  onClose(): void;
  onCancel(): void;
}) => (
  <Modal opened={opened} onClose={onClose} title="Take the request back?" size={440}>
    <div className={c.dialog}>
      <p className="gh-s gh-2">Nobody is asked any more, and the agent is told so. It may ask again.</p>
      <div className={c.buttons}>
        <Button onClick={onClose}>Back</Button>
        <Button variant="filled" loading={busy} onClick={onCancel}>
          Take it back
        </Button>
      </div>
    </div>
  </Modal>
);
