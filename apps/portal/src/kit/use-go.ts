import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useOrg } from './org.tsx';

/** Goes to a page below the organization, e.g. `policy/rules/rul_…`. */
export function useGo(): (at: string, search?: Record<string, string>) => void {
  const navigate = useNavigate();
  const org = useOrg();
  return useCallback(
    (at, search = {}) => void navigate({ to: `/${org}/${at}` as never, search: search as never }),
    [navigate, org],
  );
}
