import type { ComponentType } from 'react';
import type { Ask } from '../kit/ask.ts';
import type { AskRows } from '../kit/rows.ts';

/** What a page's loader is given: whatever it awaits is there when the page is. */
export type LoaderContext = {
  org: string;
  params: Readonly<Record<string, string>>;
  /** The address's search as text. */
  search: Readonly<Record<string, string>>;
  ask: Ask;
  askRows: AskRows;
};

/** A page's own file. */
export type PageModule = { Page: ComponentType; loader?: (context: LoaderContext) => Promise<unknown> };

/** A page in the table of its room: eager and small. */
export type PageEntry = {
  /** Address below the organization, e.g. `connectors/tools/$tool`. */
  at: string;
  title: string;
  /** Permission that the page's data needs; nobody sees its name without. */
  can: string;
  /** Stands in the rooms column (default: yes, unless the address has a parameter). */
  nav?: boolean;
  /** On a phone it stands alone, without the bar of the rooms: one thing is decided there. */
  alone?: boolean;
  /** Other words that the palette finds it by. */
  words?: string;
  load(): Promise<PageModule>;
};

/** A room of the portal: the rooms column shows them in this order. */
export type Room = { name: string; pages: readonly PageEntry[] };
export const inNav = (p: PageEntry): boolean => p.nav ?? !p.at.includes('$');
