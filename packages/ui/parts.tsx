import { Button, type ButtonProps } from '@mantine/core';
import { IconCheck, IconCopy, IconLock } from '@tabler/icons-react';
import { useId, useState, type ReactNode } from 'react';
import { Glyph, tone, type GlyphName } from './glyphs.tsx';

export const State = ({
  is,
  children,
  quiet,
  title,
}: {
  is: GlyphName;
  children: ReactNode;
  quiet?: boolean;
  title?: string;
}) => (
  <span className={`gh-state ${tone(is)}`} data-quiet={quiet || undefined} title={title}>
    <Glyph name={is} />
    {children}
  </span>
);

export const Tag = ({ is, as, children }: { is?: GlyphName; as?: string; children: ReactNode }) => (
  <span className={`gh-tag ${as ? `gh-tone gh-${as}` : is ? tone(is) : ''}`}>
    {is && <Glyph name={is} size={12} />}
    {children}
  </span>
);

export const Head = ({
  room,
  roomHref,
  title,
  children,
  actions,
}: {
  room?: string;
  roomHref?: string;
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}) => (
  <header className="gh-head">
    <div>
      {room && (
        <div className="gh-room">
          <a href={roomHref ?? '#/'}>{room}</a>
        </div>
      )}
      <h1>{title}</h1>
      {children && <p>{children}</p>}
    </div>
    {actions && <div className="gh-actions">{actions}</div>}
  </header>
);

export const Section = ({
  title,
  note,
  aside,
  children,
  id,
  className = '',
}: {
  title: ReactNode;
  note?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  id?: string;
  className?: string;
}) => {
  const own = useId();
  return (
    <section className={`gh-section ${className}`} aria-labelledby={id ?? own}>
      <div className="gh-section-head">
        <h2 id={id ?? own}>{title}</h2>
        {note && <span className="gh-3">{note}</span>}
        {aside && <div>{aside}</div>}
      </div>
      {children}
    </section>
  );
};

export const Banner = ({
  is,
  title,
  children,
  actions,
}: {
  is: GlyphName;
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}) => (
  <section className={`gh-banner ${tone(is)}`} aria-label={typeof title === 'string' ? title : undefined}>
    <Glyph name={is} />
    <div>
      <h2>{title}</h2>
      {children && <p className="gh-s">{children}</p>}
    </div>
    {actions && <div className="gh-actions">{actions}</div>}
  </section>
);

export const Facts = ({ of }: { of: readonly (readonly [ReactNode, ReactNode])[] }) => (
  <dl className="gh-facts">{of.map(([k, v], i) => [<dt key={`t${i}`}>{k}</dt>, <dd key={`d${i}`}>{v}</dd>])}</dl>
);

/** Visible, disabled, with the server's reason beside it: reachable by keyboard, announced by a screen reader. */
export const Refused = ({ reason, children, ...p }: { reason: ReactNode; children: ReactNode } & ButtonProps) => {
  const id = useId();
  return (
    <span className="gh-refused">
      <Button {...p} aria-disabled="true" aria-describedby={id}>
        {children}
      </Button>
      <span className="gh-reason" id={id}>
        <IconLock aria-hidden stroke={1.75} />
        <span>{reason}</span>
      </span>
    </span>
  );
};

/** Hashes keep both ends; the whole is one click away and in the title. */
export const Hash = ({
  children,
  head = 8,
  tail = 6,
  label = 'hash',
}: {
  children: string;
  head?: number;
  tail?: number;
  label?: string;
}) => {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      className="gh-plain gh-hash"
      style={{
        display: 'inline-flex',
        gap: 6,
        alignItems: 'center',
        minHeight: 24,
        margin: '-2px 0',
        verticalAlign: 'top',
      }}
      title={children}
      onClick={() => {
        void navigator.clipboard?.writeText(children);
        setDone(true);
        setTimeout(() => setDone(false), 1200);
      }}
    >
      <span className="gh-vh">Copy {label} </span>
      <span>
        {children.length > head + tail + 3 ? `${children.slice(0, head)}…${children.slice(-tail)}` : children}
      </span>
      {done ? (
        <IconCheck size={13} aria-hidden color="var(--gh-positive)" />
      ) : (
        <IconCopy size={13} aria-hidden color="var(--gh-text-3)" />
      )}
    </button>
  );
};

export const Said = ({ who, children }: { who: string; children: ReactNode }) => (
  <section className="gh-said-box" aria-label={`${who} says, not verified`}>
    <header>
      <Glyph name="said" size={14} />
      {who} says <span style={{ fontWeight: 400 }}>· not verified by Gatehouse</span>
    </header>
    <blockquote>{children}</blockquote>
  </section>
);

/** A character that cannot be seen, or that pretends to be another, is printed by its name. */
export const Esc = ({ children, title }: { children: ReactNode; title?: string }) => (
  <span className="gh-esc" title={title}>
    {children}
  </span>
);

export const Kbd = ({ children }: { children: ReactNode }) => <kbd className="gh-kbd">{children}</kbd>;
