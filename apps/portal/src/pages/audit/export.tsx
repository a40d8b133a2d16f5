import { exportLog, getCheckpoint, getKey } from '@gatehouse/client/audit.ts';
import { addressOf, call, Refusal } from '@gatehouse/client/call.ts';
import { Banner, Facts, Hash, Head, Section } from '@gatehouse/ui/parts.tsx';
import { Button, Progress, SegmentedControl } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useRef, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk } from '../../kit/ask.ts';
import { download } from '../../kit/csv.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { bytes, count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './audit.module.css';
import { logOf, WhichLog } from './which-log.tsx';

const state = { log: '', format: 'jsonl' };
/** Up to here a file is put together in this page, with a count; a longer one is the browser's to keep, as it comes. */
const MOST_HERE = 200_000;
const LF = 10;

export const loader = ({ org, search, ask }: LoaderContext) =>
  Promise.all([
    ask(getCheckpoint, { org, query: { log: logOf(search['log'] ?? '') } }),
    ask(getKey, { org, query: { log: logOf(search['log'] ?? '') } }),
  ]);

type Progressing = { lines: number; read: number };
type State =
  | { is: 'idle' }
  | ({ is: 'reading' } & Progressing)
  | ({ is: 'done' } & Progressing)
  | { is: 'broken'; at: number }
  | { is: 'refused'; why: Refusal };

/** The whole log up to its newest checkpoint, as a file that is verified without us. */
export function Page() {
  const narrow = useMediaQuery('(max-width: 480px)', false, { getInitialValueInEffect: false });
  const org = useOrg();
  const [at, set] = useAddress(state);
  const log = logOf(at.log);
  const format = at.format === 'csv' ? 'csv' : 'jsonl';
  const checkpoint = useAsk(getCheckpoint, { org, query: { log } });
  const { key } = useAsk(getKey, { org, query: { log } });
  const [now, setNow] = useState<State>({ is: 'idle' });
  const stop = useRef<AbortController>(undefined);
  const input = { org, query: { log, format } } as const;
  const name = `${checkpoint.log}-0-${checkpoint.size}.${format}`;

  const run = async (): Promise<void> => {
    if (checkpoint.size > MOST_HERE) {
      location.assign(addressOf(exportLog, input));
      return;
    }
    const { signal } = (stop.current = new AbortController());
    let [lines, read] = [0, 0];
    setNow({ is: 'reading', lines, read });
    try {
      const response = await call(exportLog, input, signal);
      const parts: Uint8Array<ArrayBuffer>[] = [];
      let told = 0;
      const reader = response.body?.getReader();
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        parts.push(part.value);
        read += part.value.length;
        for (const b of part.value) if (b === LF) lines++;
        if (performance.now() - told < 100) continue;
        told = performance.now();
        setNow({ is: 'reading', lines, read });
      }
      download(name, new Blob(parts, { type: 'application/octet-stream' }));
      setNow({ is: 'done', lines, read });
    } catch (e) {
      if (signal.aborted) setNow({ is: 'idle' });
      else if (e instanceof Refusal) setNow({ is: 'refused', why: e });
      else setNow({ is: 'broken', at: lines });
    }
  };
  const reading = now.is === 'reading';
  return (
    <div className="gh-page">
      <Head
        room="Audit"
        roomHref={`/portal/${org}/audit`}
        title="Export"
        actions={<WhichLog value={at.log} onChange={(to) => set({ log: to })} />}
      >
        Every event up to the newest checkpoint, with what it takes to verify it offline. Exporting leaves an event.
      </Head>
      <Section title="The file">
        <Facts
          of={[
            [
              'Form',
              <SegmentedControl
                key="f"
                aria-label="Form of the file"
                orientation={narrow ? 'vertical' : 'horizontal'}
                value={format}
                onChange={(to) => set({ format: to })}
                data={[
                  { value: 'jsonl', label: 'JSONL, can be verified' },
                  { value: 'csv', label: 'CSV, for a spreadsheet' },
                ]}
              />,
            ],
            [
              'Holds',
              <span key="h" className="gh-num">
                {count(checkpoint.size)} events
              </span>,
            ],
            [
              'Name',
              <span key="n" className="gh-id">
                {name}
              </span>,
            ],
          ]}
        />
        <div className="gh-actions">
          <Act can="audit.export" variant="filled" onClick={() => void run()} disabled={reading}>
            Export {count(checkpoint.size)} events
          </Act>
        </div>
        {reading && (
          <div className="gh-line" role="status">
            <Progress
              value={Math.min(100, (now.lines / Math.max(1, checkpoint.size)) * 100)}
              aria-label="Exporting"
              className="gh-grow"
              color="info"
            />
            <span className="gh-xs gh-num">
              {count(now.lines)} of about {count(checkpoint.size)} lines, {bytes(now.read)}
            </span>
            <Button size="sm" onClick={() => stop.current?.abort()}>
              Stop
            </Button>
          </div>
        )}
        {now.is === 'done' && (
          <p className="gh-s" role="status">
            {name} is with your downloads: {count(now.lines)} lines, {bytes(now.read)}.
          </p>
        )}
        {now.is === 'broken' && (
          <Banner is="broken" title="The transfer broke off">
            After {count(now.at)} lines. Nothing was kept: half a log proves nothing. Export again.
          </Banner>
        )}
        {now.is === 'refused' && <Problem of={now.why} />}
      </Section>
      <Section title="Verify it offline" note="with nothing of ours but one file that can be read in one sitting">
        <ol className={c.steps}>
          <li>
            Note the key of the log once, where its operators cannot change it:{' '}
            <Hash label="verification key" head={40} tail={8}>
              {key}
            </Hash>
          </li>
          <li>
            Take <span className="gh-id">packages/contract/verify.mjs</span> from the source, and Node 20 or later.
          </li>
          <li>
            Run it over the file:
            <pre tabIndex={0}>{`node verify.mjs ${checkpoint.log}-0-${checkpoint.size}.jsonl --key '${key}'`}</pre>
          </li>
          <li>
            It prints a line per check and ends with “verified”, or names the first position that is wrong and what is
            wrong there. Give it a checkpoint that you kept (--checkpoint) and it says whether the log still begins with
            that.
          </li>
        </ol>
      </Section>
    </div>
  );
}
