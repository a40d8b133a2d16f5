import type { ReactNode } from 'react';
import { Go } from './go.tsx';

/** The head of a page: its room as a way back, the title, one sentence, what can be done. */
export const PageHead = ({
  room,
  roomAt,
  title,
  children,
  actions,
}: {
  room: string;
  roomAt: string;
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}) => (
  <header className="gh-head">
    <div>
      <div className="gh-room">
        <Go to={roomAt}>{room}</Go>
      </div>
      <h1>{title}</h1>
      {children && <p>{children}</p>}
    </div>
    {actions && <div className="gh-actions">{actions}</div>}
  </header>
);
