import { countWaiting } from '@gatehouse/client/start.ts';
import { useQuery } from '@tanstack/react-query';
import { useMemo, type ReactNode } from 'react';
import { question } from '../kit/ask.ts';
import { useOrg } from '../kit/org.tsx';
import { WaitingContext, type Waiting } from '../kit/waiting.ts';
import { roomNames } from '../pages/rooms.ts';

/** The numbers beside the rooms: what waits there for a decision, of what this person may read. They come after the page, which does not wait. */
export function Waits({ children }: { children: ReactNode }) {
  const org = useOrg();
  const { data } = useQuery(question(countWaiting, { org }));
  const value = useMemo(() => {
    const counts: Waiting = {};
    for (const { room, count } of data?.rooms ?? []) {
      const known = roomNames.find((name) => name === room);
      if (known) counts[known] = count;
    }
    return counts;
  }, [data]);
  return <WaitingContext value={value}>{children}</WaitingContext>;
}
