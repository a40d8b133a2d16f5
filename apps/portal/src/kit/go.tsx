import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useOrg } from './org.tsx';

/** A link to a page of this organization, e.g. `connectors/tools`. Addresses come from the tables of pages, so their types are not the router's. */
export function Go({
  at,
  search = {},
  className,
  children,
}: {
  at: string;
  search?: Readonly<Record<string, string>>;
  className?: string;
  children: ReactNode;
}) {
  const org = useOrg();
  return (
    <Link
      to={`/$org/${at}` as never}
      params={{ org } as never}
      search={search as never}
      className={className}
      activeOptions={{ exact: true }}
      activeProps={{}}
    >
      {children}
    </Link>
  );
}
