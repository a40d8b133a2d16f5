import { createContext, useContext } from 'react';
import type { RoomName } from '../pages/rooms.ts';

/** How many things wait in each room for a person. */
export type Waiting = Partial<Record<RoomName, number>>;
export const WaitingContext = createContext<Waiting>({});
export const useWaiting = (): Waiting => useContext(WaitingContext);
