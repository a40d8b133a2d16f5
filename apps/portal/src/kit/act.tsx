import { Button, type ButtonProps } from '@mantine/core';
import { Refused } from '@gatehouse/ui/parts.tsx';
import type { ReactNode } from 'react';
import { useMay } from './org.tsx';

/** A button for something that needs a permission. Without it, it keeps its place, disabled, with the server's reason beside it. */
export function Act({
  can,
  children,
  onClick,
  ...props
}: { can: string; children: ReactNode; onClick: () => void; 'data-autofocus'?: boolean } & ButtonProps) {
  const may = useMay(can);
  if (!may.ok)
    return (
      <Refused {...props} reason={`${may.says}. ${may.fix}`}>
        {children}
      </Refused>
    );
  return (
    <Button {...props} onClick={onClick}>
      {children}
    </Button>
  );
}
