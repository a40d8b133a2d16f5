import { State } from '@gatehouse/ui/parts.tsx';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type ReactNode } from 'react';
import { Bones } from '../../kit/bones.tsx';
import { clock, count, weekday } from '../../kit/words.ts';
import c from './audit.module.css';
import { decidedBy, endingOf, Plain, Says, tookOf, whoOf, type LogEvent, type Names } from './event-words.tsx';
import type { Log } from './use-log.ts';

const heads = ['Position', 'Time, UTC', 'Outcome', 'What happened'] as const;
const wide = ['Tool', 'Decided by'] as const;

/** Rows as far as they are seen, with the day where it changes; one tab stop, arrows choose. */
export function EventRows({
  log,
  open,
  narrow,
  onOpen,
  onMove,
  onClose,
  empty,
}: {
  log: Log;
  open: number | undefined;
  narrow: boolean;
  onOpen: (seq: number) => void;
  onMove: (by: number) => void;
  onClose: () => void;
  empty: ReactNode;
}) {
  const { events } = log;
  const items = useMemo(() => {
    const out: (LogEvent | string)[] = [];
    let before = '';
    for (const e of events) {
      const today = weekday(e.at);
      if (today !== before && before !== '') out.push(today);
      before = today;
      out.push(e);
    }
    return out;
  }, [events]);
  const frame = useRef<HTMLDivElement>(null);
  const v = useVirtualizer({
    count: items.length,
    getScrollElement: () => frame.current,
    estimateSize: (i) => (typeof items[i] === 'string' ? 32 : narrow ? 60 : 32),
    getItemKey: (i) => {
      const item = items[i];
      return typeof item === 'string' ? `day ${item}` : (item?.seq ?? i);
    },
    overscan: 12,
    paddingStart: narrow ? 0 : 32,
  });
  const shown = v.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  const { more } = log;
  useEffect(() => {
    if (last >= items.length - 30) more?.();
  }, [last, items.length, more]);
  const index = items.findIndex((e) => typeof e !== 'string' && e.seq === open);
  useEffect(() => {
    if (index >= 0) v.scrollToIndex(index, { align: 'auto' });
    // Only when another event is opened: what arrives above must not move what is read.
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- see above
  }, [open]);

  if (log.waiting) return <Bones rows={12} />;
  return (
    <div
      ref={frame}
      className={c.grid}
      role="grid"
      aria-label="Events, newest first"
      aria-rowcount={-1}
      aria-busy={log.reading || undefined}
      tabIndex={0}
      aria-activedescendant={open !== undefined && index >= 0 ? `e${open}` : undefined}
      onKeyDown={(e) => {
        if (e.target !== e.currentTarget) return;
        if (e.key === 'ArrowDown' || e.key === 'j') {
          e.preventDefault();
          onMove(1);
        }
        if (e.key === 'ArrowUp' || e.key === 'k') {
          e.preventDefault();
          onMove(-1);
        }
        if (e.key === 'Escape') onClose();
      }}
    >
      <div role="rowgroup" style={{ height: v.getTotalSize(), position: 'relative' }}>
        <div role="row" aria-rowindex={1} className={`${c.row} ${c.th}`}>
          {heads.map((h) => (
            <span key={h} role="columnheader">
              {h}
            </span>
          ))}
          {wide.map((h) => (
            <span key={h} role="columnheader" className={c.wide}>
              {h}
            </span>
          ))}
          <span role="columnheader" className={`${c.wide} ${c.r}`}>
            Took, ms
          </span>
        </div>
        {shown.map(({ index: i, key, start }) => {
          const item = items[i];
          const at = { transform: `translateY(${start}px)` };
          if (item === undefined) return null;
          if (typeof item === 'string')
            return (
              <div key={key} role="row" aria-rowindex={i + 2} className={c.day} style={at}>
                <span role="gridcell">{item}</span>
              </div>
            );
          return (
            <div
              key={key}
              id={`e${item.seq}`}
              role="row"
              aria-rowindex={i + 2}
              aria-selected={item.seq === open}
              className={`${c.row} ${c.tr}`}
              style={at}
              onClick={() => onOpen(item.seq)}
            >
              <Cells of={item} names={log.names} />
            </div>
          );
        })}
      </div>
      {events.length === 0 && !log.reading && <div className={c.nothing}>{empty}</div>}
    </div>
  );
}

function Cells({ of: e, names }: { of: LogEvent; names: Names }) {
  const { glyph, word, normal } = endingOf(e);
  const took = tookOf(e);
  const rules = decidedBy(e);
  const who = whoOf(e, names);
  const connector = e.connector === undefined ? undefined : names[e.connector];
  const dash = <span className="gh-3">–</span>;
  return (
    <>
      <span role="gridcell" className={c.seq}>
        {count(e.seq)}
      </span>
      <span role="gridcell" className={c.dim}>
        {clock(e.at)}
      </span>
      <span role="gridcell">
        <State is={glyph} quiet={normal}>
          {word}
        </State>
      </span>
      <span role="gridcell" className="gh-cut" title={`${who} ${e.says}`}>
        <b>
          <Plain>{who}</Plain>
        </b>{' '}
        <Says names={names}>{e.says}</Says>
        {connector !== undefined && (
          <span className="gh-2">
            {' '}
            with <Plain>{connector}</Plain>
          </span>
        )}
      </span>
      <span role="gridcell" className={`${c.wide} gh-id gh-cut`}>
        {e.tool === undefined ? dash : <Plain>{e.tool}</Plain>}
      </span>
      <span role="gridcell" className={`${c.wide} gh-id gh-cut gh-2`} title={rules.join(', ')}>
        {rules.length === 0 ? dash : rules.join(', ')}
      </span>
      <span role="gridcell" className={`${c.wide} ${c.r} gh-2`}>
        {took === undefined ? dash : count(took)}
      </span>
    </>
  );
}
