import { ActionIcon } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import c from './people.module.css';

/** A value that is pasted elsewhere: whole, never shortened, one press copies it. */
export function CopyValue({ label, children }: { label: string; children: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <span className={c.copy}>
      <code className={c.value}>{children}</code>
      <ActionIcon size="sm" aria-label={`Copy ${label}`} onClick={() => clipboard.copy(children)}>
        {clipboard.copied ? (
          <IconCheck size={14} aria-hidden color="var(--gh-positive)" />
        ) : (
          <IconCopy size={14} aria-hidden />
        )}
      </ActionIcon>
      <span className="gh-vh" role="status">
        {clipboard.copied ? 'Copied' : ''}
      </span>
    </span>
  );
}
