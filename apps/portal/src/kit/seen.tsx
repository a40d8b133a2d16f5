import { visible } from '@gatehouse/contract/visible.ts';
import { Esc } from '@gatehouse/ui/parts.tsx';
import { Fragment } from 'react';

const escaped = /(\[U\+[0-9A-F]{4,6}(?: ×\d+)?\])/;

/** Text of somebody else, every character of it: what nobody can see stands there by its code point. `done`: the server has made it so already. */
export const Seen = ({ children, done = false }: { children: string; done?: boolean }) => (
  <>
    {(done ? children : visible(children)).split(escaped).map((part, i) =>
      i % 2 === 1 ? (
        // Parts of one text have no identity but their place.
        <Esc key={i} title="a character that cannot be seen">
          {part.slice(1, -1)}
        </Esc>
      ) : (
        <Fragment key={i}>{part}</Fragment>
      ),
    )}
  </>
);
