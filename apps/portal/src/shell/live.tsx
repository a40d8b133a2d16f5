import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useOrg } from '../kit/org.tsx';

/** Changes that come within this time ask again once. */
const GATHER_MS = 250;

const read = (e: Event): Record<string, unknown> => {
  try {
    return JSON.parse(e instanceof MessageEvent ? String(e.data) : '') as Record<string, unknown>;
  } catch {
    return {};
  }
};

/** Listens to what changes in the organization and asks again for what it touches. The browser comes back by itself after a break. */
export function Live() {
  const org = useOrg();
  const queries = useQueryClient();
  useEffect(() => {
    const source = new EventSource(`/api/orgs/${encodeURIComponent(org)}/live`);
    const touched = new Set<string>();
    let soon: ReturnType<typeof setTimeout> | undefined;
    const ask = (): void => {
      soon = undefined;
      const all = touched.has('*');
      const rooms = [...touched];
      touched.clear();
      if (all) void queries.invalidateQueries();
      else for (const room of rooms) void queries.invalidateQueries({ queryKey: [room] });
    };
    source.addEventListener('changed', (e) => {
      const { topics } = read(e);
      if (Array.isArray(topics)) for (const t of topics) if (typeof t === 'string') touched.add(t);
      soon ??= setTimeout(ask, GATHER_MS);
    });
    source.addEventListener('ended', (e) => {
      // The session or the membership ended: whatever is asked next says so in the server's words.
      if (read(e)['again'] === true) return;
      source.close();
      void queries.invalidateQueries();
    });
    return () => {
      clearTimeout(soon);
      source.close();
    };
  }, [org, queries]);
  return null;
}
