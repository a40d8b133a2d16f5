import { countWaiting } from '@gatehouse/client/start.ts';
import { useQuery } from '@tanstack/react-query';
import { question } from './ask.ts';
import { useOrg } from './org.tsx';

/** How many things wait in each room for a person, of what the person may read. Nothing while it is not known. */
export function useWaiting(): Readonly<Record<string, number>> {
  const org = useOrg();
  const { data } = useQuery({ ...question(countWaiting, { org }), staleTime: 15_000, refetchInterval: 60_000 });
  return Object.fromEntries(data?.rooms.map(({ room, count }) => [room, count]) ?? []);
}
