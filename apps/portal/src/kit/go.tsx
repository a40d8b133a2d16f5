import { Link, useNavigate } from '@tanstack/react-router';
import { useCallback, type ReactNode } from 'react';
import { useOrg } from './org.tsx';

type Search = Readonly<Record<string, string>>;

/** A link to a page of this organization, e.g. `connectors/tools`. Addresses come from the tables of pages, so their types are not the router's. */
export function Go({
  at,
  search = {},
  className,
  children,
}: {
  at: string;
  search?: Search;
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

/** The same for what leads somewhere after it was done. */
export function useGo(): (at: string, search?: Search) => void {
  const org = useOrg();
  const navigate = useNavigate();
  return useCallback(
    (at, search = {}) =>
      void navigate({ to: `/$org/${at}` as never, params: { org } as never, search: search as never }),
    [org, navigate],
  );
}
