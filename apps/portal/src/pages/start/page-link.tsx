import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useHere } from '../../kit/org.tsx';
import { allPages } from '../rooms.ts';

/** The page that is meant, or else the first one of its room that there is; undefined: none that this person may see. */
function targetOf(page: string, may: (permission: string) => { ok: boolean }): string | undefined {
  const wanted = page.replace(/^\//, '');
  const seen = allPages.filter((p) => may(p.can).ok && !p.at.includes('$'));
  return (seen.find((p) => p.at === wanted) ?? seen.find((p) => p.at.split('/')[0] === wanted.split('/')[0]))?.at;
}

/** Where the server says that something is repaired. What no page of this portal does is said without a button. */
export function PageLink({ page, children, plain }: { page: string; children: ReactNode; plain?: boolean }) {
  const { org, may } = useHere();
  const at = targetOf(page, may);
  if (at === undefined) return null;
  const to = { to: `/$org/${at}` as never, params: { org } as never, search: {} as never };
  if (plain) return <Link {...to}>{children}</Link>;
  return (
    <Button size="sm" renderRoot={(props: Record<string, unknown>) => <Link {...props} {...to} />}>
      {children}
    </Button>
  );
}
