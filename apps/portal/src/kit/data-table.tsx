import { Button, Progress, TextInput } from '@mantine/core';
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks';
import { IconArrowDown, IconArrowUp, IconSearch } from '@tabler/icons-react';
import { createSortedRowModel, rowSortingFeature, tableFeatures, useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useAddress } from './address.ts';
import c from './data-table.module.css';
import { csv, download } from './csv.ts';
import { Bones } from './bones.tsx';
import { Problem } from './problem.tsx';
import { useRows, type ListOp } from './rows.ts';
import { count } from './words.ts';

export type Column<R> = {
  head: string;
  /** What is seen. */
  cell(row: R): ReactNode;
  /** What the column is sorted by, and what the export has. Without it the column cannot be sorted. */
  value?(row: R): string | number;
  /** Width as in a grid's template; the first column takes what is left. */
  width?: string;
  /** Numbers stand right. */
  right?: boolean;
};

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
const icon = { size: 13, stroke: 2, 'aria-hidden': true } as const;

/**
 * A list of the API as people use it: searched by the server, sorted, exported whole, as long as it likes (rows outside the window are not
 * drawn), one tab stop with arrows, label beside value on a phone. Search and order are in the address.
 */
export function DataTable<I extends { query?: object }, R>({
  op,
  input,
  columns,
  name,
  row: keyOf,
  onRow,
  empty,
  searchable = 'Search',
  tools,
  height = 40,
}: {
  op: ListOp<I, R>;
  input: I;
  columns: readonly Column<R>[];
  /** What is listed, in the plural: names the table and the exported file. */
  name: string;
  row(row: R): string;
  onRow?: (row: R) => void;
  /** What stands here while nothing was ever listed. */
  empty: ReactNode;
  /** Label of the search field; false where the list cannot be searched. */
  searchable?: string | false;
  tools?: ReactNode;
  /** Height of a row in pixels on a wide screen. */
  height?: number;
}) {
  const [at, set] = useAddress(useMemo(() => ({ q: '', sort: '' }), []));
  const asked = useMemo(
    () => ({ ...input, query: { ...input.query, ...(at.q === '' ? {} : { q: at.q }) } }),
    [input, at.q],
  );
  const rows = useRows(op, asked, at.sort !== '');
  const [typed, setTyped] = useState(at.q);
  useEffect(() => setTyped(at.q), [at.q]);
  const search = useDebouncedCallback((q: string) => set({ q }), 250);
  const narrow = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false });
  const [current, setCurrent] = useState(0);
  const [export_, setExport] = useState<number>();

  const defs = useMemo(
    () => columns.map((col) => ({ id: col.head, accessorFn: (r: R) => col.value?.(r) ?? '', header: col.head })),
    [columns],
  );
  const [sortHead, down] = at.sort.startsWith('-') ? [at.sort.slice(1), true] : [at.sort, false];
  const table = useTable({
    features,
    columns: defs,
    data: rows.items as never[],
    state: { sorting: sortHead === '' ? [] : [{ id: sortHead, desc: down }] },
  });
  const sorted = table.getRowModel().rows as unknown as { original: R }[];

  const frame = useRef<HTMLDivElement>(null);
  const v = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => frame.current,
    estimateSize: () => (narrow ? 44 + 24 * (columns.length - 1) : height),
    overscan: 8,
  });
  const shown = v.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= sorted.length - 10) rows.more?.();
  }, [last, sorted.length, rows]);

  const template = columns
    .map((col, i) => col.width ?? (i === 0 ? 'minmax(180px, 2fr)' : 'minmax(90px, 1fr)'))
    .join(' ');
  const move = (to: number): void => {
    const next = Math.min(Math.max(to, 0), sorted.length - 1);
    setCurrent(next);
    v.scrollToIndex(next);
  };
  const exportAll = async (): Promise<void> => {
    setExport(0);
    const all = await rows.all(setExport);
    setExport(undefined);
    if (all)
      download(
        `${name.replaceAll(' ', '-')}.csv`,
        csv([
          columns.filter((col) => col.value).map((col) => col.head),
          ...all.map((r) => columns.flatMap((col) => (col.value ? [String(col.value(r))] : []))),
        ]),
      );
  };

  if (rows.waiting) return <Bones />;
  const nothingEver = sorted.length === 0 && at.q === '' && !rows.refusal;
  if (nothingEver) return <div className="gh-empty">{empty}</div>;
  return (
    <div className={c.list}>
      <div className={c.tools}>
        {searchable !== false && (
          <TextInput
            className={c.search}
            aria-label={searchable}
            placeholder={searchable}
            leftSection={<IconSearch size={16} stroke={1.75} aria-hidden />}
            value={typed}
            onChange={(e) => {
              setTyped(e.currentTarget.value);
              search(e.currentTarget.value.trim());
            }}
          />
        )}
        {tools}
        <span className="gh-grow" />
        <span className="gh-xs gh-3 gh-num" role="status">
          {count(sorted.length)}
          {rows.whole ? '' : ' so far'}
        </span>
        <Button size="sm" disabled={export_ !== undefined} onClick={() => void exportAll()}>
          Export CSV
        </Button>
      </div>
      {export_ !== undefined && (
        <div className="gh-line" role="status">
          <Progress value={100} animated aria-label="Exporting" className="gh-grow" color="info" />
          <span className="gh-xs gh-num">{count(export_)} rows read</span>
          <Button size="sm" onClick={rows.stop}>
            Stop
          </Button>
        </div>
      )}
      <Problem of={rows.refusal} again={rows.again} />
      <div
        ref={frame}
        className={c.grid}
        role="grid"
        aria-label={name}
        aria-rowcount={rows.whole ? sorted.length + 1 : -1}
        tabIndex={0}
        aria-activedescendant={sorted[current] ? `row-${keyOf(sorted[current].original)}` : undefined}
        onKeyDown={(e) => {
          if (e.target !== e.currentTarget) return;
          const to = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: sorted.length - 1 }[e.key];
          if (to !== undefined) {
            e.preventDefault();
            move(to);
          }
          const row = sorted[current];
          if (e.key === 'Enter' && row) onRow?.(row.original);
        }}
      >
        <div role="rowgroup" className={c.heads}>
          <div role="row" aria-rowindex={1} className={c.row} style={{ gridTemplateColumns: template }}>
            {columns.map((col) => (
              <span
                key={col.head}
                role="columnheader"
                className={col.right ? c.right : undefined}
                aria-sort={sortHead === col.head ? (down ? 'descending' : 'ascending') : undefined}
              >
                {col.value ? (
                  <button
                    type="button"
                    className="gh-plain"
                    onClick={() => set({ sort: sortHead !== col.head ? col.head : down ? '' : `-${col.head}` })}
                  >
                    {col.head}
                    {sortHead === col.head && (down ? <IconArrowDown {...icon} /> : <IconArrowUp {...icon} />)}
                  </button>
                ) : (
                  col.head
                )}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" className={c.body} style={{ height: v.getTotalSize() }}>
          {shown.map((it) => {
            const r = sorted[it.index]?.original;
            if (r === undefined) return null;
            const id = keyOf(r);
            return (
              <div
                key={id}
                id={`row-${id}`}
                role="row"
                aria-rowindex={it.index + 2}
                data-index={it.index}
                ref={narrow ? v.measureElement : undefined}
                className={c.row}
                data-current={it.index === current || undefined}
                data-goes={onRow ? true : undefined}
                style={{
                  transform: `translateY(${it.start}px)`,
                  ...(narrow ? {} : { gridTemplateColumns: template, height }),
                }}
                onClick={() => {
                  setCurrent(it.index);
                  onRow?.(r);
                }}
              >
                {columns.map((col) => (
                  <span
                    key={col.head}
                    role="gridcell"
                    className={col.right ? c.right : undefined}
                    data-label={col.head}
                  >
                    {col.cell(r)}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
        {sorted.length === 0 && (
          <div className={c.none}>
            Nothing here has “{at.q}”.{' '}
            <button type="button" className="gh-plain" onClick={() => set({ q: '' })}>
              Take the search away
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
