import { createContext, useContext, type ReactNode } from 'react';

/** One permission of mine here: given, or why not and who has it. */
export type May = { ok: true } | { ok: false; says: string; fix: string };

/** Who I am in the organization of the address. */
export type Here = {
  org: string;
  orgName: string;
  me: { user: string; member: string; name: string; email: string; role: string; session: string };
  orgs: readonly { id: string; name: string; role: string }[];
  may(permission: string): May;
};

const HereContext = createContext<Here | undefined>(undefined);

export const HereProvider = ({ here, children }: { here: Here; children: ReactNode }) => (
  <HereContext value={here}>{children}</HereContext>
);

/** The organization of the address, and what I may do in it. */
export function useHere(): Here {
  const here = useContext(HereContext);
  if (!here) throw new TypeError('a page stands outside an organization');
  return here;
}

/** The id of the organization of the address. */
export const useOrg = (): string => useHere().org;
export const useMay = (permission: string): May => useHere().may(permission);
