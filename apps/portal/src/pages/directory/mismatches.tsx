import type { OutputOf } from '@gatehouse/client/call.ts';
import { diagnose } from '@gatehouse/client/provisioning.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { Button, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { Bones } from '../../kit/bones.tsx';
import { csv, download } from '../../kit/csv.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { useRows } from '../../kit/rows.ts';
import type { LoaderContext } from '../page.ts';
import { PageHead } from '../people/page-head.tsx';
import { Marked } from './marked.tsx';
import c from './mismatches.module.css';

type Pair = OutputOf<typeof diagnose>['items'][number];
type Mismatch = Pair['mismatches'][number];

const inPage = { q: '' };
export const loader = ({ org, search, askRows }: LoaderContext): Promise<unknown> =>
  askRows(diagnose, { org, query: search['q'] ? { q: search['q'] } : {} });

const harmWord: Record<Mismatch['harm'], { is: 'broken' | 'caution' | 'info'; says: string }> = {
  keeps_out: { is: 'broken', says: 'Keeps them out' },
  may_keep_out: { is: 'caution', says: 'May keep them out' },
  harmless: { is: 'info', says: 'Harmless' },
};

/** People whom the directory and their sign-in name differently: both sides, and the repair. */
export function Page() {
  const org = useOrg();
  const [at, set] = useAddress(inPage);
  const [typed, setTyped] = useState(at.q);
  const search = useDebouncedCallback((q: string) => set({ q }), 250);
  const input = useMemo(() => ({ org, query: at.q === '' ? {} : { q: at.q } }), [org, at.q]);
  const rows = useRows(diagnose, input, false);
  const save = async (): Promise<void> => {
    const all = await rows.all(() => undefined);
    if (!all) return;
    const lines = all.flatMap((p) =>
      p.mismatches.map((m) => [p.userName, m.code, m.directory, m.signIn, m.harm, m.fix]),
    );
    download('mismatches.csv', csv([['userName', 'code', 'directory', 'signIn', 'harm', 'fix'], ...lines]));
  };
  return (
    <div className="gh-page">
      <PageHead
        room="Directory"
        roomAt="directory/members"
        title="Mismatches"
        actions={rows.items.length > 0 && <Button onClick={() => void save()}>Export CSV</Button>}
      >
        People whom the directory and their sign-in name differently. What differs is marked.
      </PageHead>
      <div className={c.search}>
        <TextInput
          aria-label="Search a person"
          placeholder="Search a person"
          leftSection={<IconSearch size={16} stroke={1.75} aria-hidden />}
          value={typed}
          onChange={(e) => {
            setTyped(e.currentTarget.value);
            search(e.currentTarget.value.trim());
          }}
        />
      </div>
      <Problem of={rows.refusal} again={rows.again} />
      {rows.waiting ? (
        <Bones />
      ) : rows.items.length === 0 && !rows.more ? (
        <div className="gh-empty">
          <h3>{at.q === '' ? 'Both sides agree' : `Nobody here has “${at.q}”`}</h3>
          <p>
            Where a directory and a sign-in name somebody differently, a first sign-in finds nobody. Such people are
            listed here.
          </p>
        </div>
      ) : (
        <ul className={c.people}>
          {rows.items.map((p) => (
            <li key={p.entry}>
              <h2 className={c.who}>{p.userName}</h2>
              {p.mismatches.map((m) => (
                <div key={m.code} className={c.one}>
                  <State is={harmWord[m.harm].is} quiet={m.harm === 'harmless'}>
                    {harmWord[m.harm].says}
                  </State>
                  <div>
                    <p className="gh-s">
                      {sentence(m.says)} <span className="gh-id gh-3">{m.code}</span>
                    </p>
                    <div className={c.pair}>
                      <span className="gh-3">directory</span>
                      <Marked text={m.directory} against={m.signIn} />
                      <span className="gh-3">sign-in</span>
                      <Marked text={m.signIn} against={m.directory} />
                    </div>
                    <p className="gh-s gh-2">{sentence(m.fix)}</p>
                  </div>
                </div>
              ))}
            </li>
          ))}
        </ul>
      )}
      {rows.more && (
        <div className="gh-actions">
          <Button onClick={rows.more}>Look at more people</Button>
        </div>
      )}
    </div>
  );
}
