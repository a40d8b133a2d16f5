import { Button, type ButtonProps } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useHere } from '../../kit/org.tsx';

type Search = Readonly<Record<string, string>>;

/** A link to a page of this organization. */
export function Go({
  to,
  search = {},
  className,
  children,
}: {
  to: string;
  search?: Search;
  className?: string;
  children: ReactNode;
}) {
  const { org } = useHere();
  return (
    <Link to={`/$org/${to}` as never} params={{ org } as never} search={search as never} className={className}>
      {children}
    </Link>
  );
}

/** The same, looking like a button: for the way to a page where something is done. */
export function GoButton({
  to,
  search = {},
  children,
  ...props
}: { to: string; search?: Search; children: ReactNode } & ButtonProps) {
  const { org } = useHere();
  return (
    <Button
      {...props}
      renderRoot={(root) => (
        <Link {...root} to={`/$org/${to}` as never} params={{ org } as never} search={search as never} />
      )}
    >
      {children}
    </Button>
  );
}

/** Goes to a page of this organization. */
export function useGo(): (to: string, search?: Search) => void {
  const { org } = useHere();
  const navigate = useNavigate();
  return (to, search = {}) => void navigate({ to: `/${org}/${to}`, search });
}
