import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import c from './connectors.module.css';

/** The foot of a dialog: the way back, then the act. */
export const Ending = ({ onClose, children }: { onClose: () => void; children: ReactNode }) => (
  <div className={`gh-actions ${c.end}`}>
    <Button onClick={onClose}>Back</Button>
    {children}
  </div>
);
