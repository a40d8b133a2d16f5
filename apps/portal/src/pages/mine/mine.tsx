import { listMySessions } from '@gatehouse/client/identity.ts';
import { Head, Section } from '@gatehouse/ui/parts.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useHere } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';

const noInput = {};

/** What is mine: where I am signed in. */
export function Page() {
  const { me, orgName } = useHere();
  return (
    <div className="gh-page">
      <Head title="Mine">
        You are {me.name}, {me.email}, in {orgName}.
      </Head>
      <Section title="Where you are signed in">
        <DataTable
          op={listMySessions}
          input={noInput}
          name="sessions"
          row={(s) => s.id}
          columns={[
            { head: 'Session', cell: (s) => <span className="gh-id">{s.id}</span>, value: (s) => s.id },
            { head: 'Since, UTC', cell: (s) => <At at={s.createdAt} />, value: (s) => s.createdAt, width: '180px' },
          ]}
          empty={<p>You are signed in nowhere.</p>}
        />
      </Section>
    </div>
  );
}
