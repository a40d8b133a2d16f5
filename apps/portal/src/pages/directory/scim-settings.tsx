import { Select, TagsInput, TextInput } from '@mantine/core';
import { changeDirectory, getDirectory } from '@gatehouse/client/directory.ts';
import { Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import c from './directory.module.css';

/** How a directory is treated. */
export function ScimSettings({ directory }: { directory: string }) {
  const org = useOrg();
  const may = useMay('directory.manage').ok;
  const d = useAsk(getDirectory, { org, directory });
  const changing = useDo(changeDirectory);
  const [name, setName] = useState(d.name);
  const [s, setS] = useState(d.settings);
  const same = name === d.name && JSON.stringify(s) === JSON.stringify(d.settings);
  return (
    <Section title="Settings" note="take effect at its next request">
      <div className={c.form}>
        <TextInput label="Name" value={name} readOnly={!may} onChange={(e) => setName(e.currentTarget.value)} />
        <Select
          label="Profile"
          description="compat takes every spelling that vendors document; strict refuses unknown attributes and removals of nothing."
          allowDeselect={false}
          disabled={!may}
          data={['compat', 'strict']}
          value={s.profile}
          onChange={(v) => (v === 'compat' || v === 'strict') && setS({ ...s, profile: v })}
        />
        <TagsInput
          label="Domains"
          description="Of which its people may have addresses. Empty: of every domain."
          value={s.domains}
          readOnly={!may}
          onChange={(domains) => setS({ ...s, domains: domains.map((x) => x.trim().toLowerCase()) })}
        />
        <Select
          label="People with another domain"
          allowDeselect={false}
          disabled={!may}
          data={[
            { value: 'accept', label: 'get an account' },
            { value: 'hold', label: 'are kept without an account' },
            { value: 'refuse', label: 'are refused' },
          ]}
          value={s.domainPolicy}
          onChange={(v) => (v === 'accept' || v === 'hold' || v === 'refuse') && setS({ ...s, domainPolicy: v })}
        />
        <Select
          label="Journal"
          allowDeselect={false}
          disabled={!may}
          data={[
            { value: 'changes', label: 'changes and refusals' },
            { value: 'all', label: 'reads too, while somebody looks for a fault' },
          ]}
          value={s.journal}
          onChange={(v) => (v === 'changes' || v === 'all') && setS({ ...s, journal: v })}
        />
        <TextInput
          label="Journal is kept for, in days"
          inputMode="numeric"
          readOnly={!may}
          value={String(s.journalDays)}
          onChange={(e) => setS({ ...s, journalDays: Number(e.currentTarget.value.replaceAll(/\D/g, '')) })}
        />
        <TextInput
          label="Requests a second that each node serves"
          inputMode="numeric"
          readOnly={!may}
          value={String(s.rate)}
          onChange={(e) => setS({ ...s, rate: Number(e.currentTarget.value.replaceAll(/\D/g, '')) })}
        />
        <Problem of={changing.refusal} />
        <div className="gh-actions">
          <Act
            can="directory.manage"
            variant="filled"
            disabled={same}
            loading={changing.busy}
            onClick={() => {
              const { profile, domains, domainPolicy, journal, journalDays, rate } = s;
              void changing.run({
                org,
                directory,
                body: { name, profile, domains, domainPolicy, journal, journalDays, rate },
              });
            }}
          >
            Save
          </Act>
        </div>
      </div>
    </Section>
  );
}
