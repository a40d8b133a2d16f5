import { Button, Checkbox, Modal, Select } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { list as listCatalogue } from '@gatehouse/client/catalogue.ts';
import { getAccount, giveAccount, takeAccount } from '@gatehouse/client/connectors.ts';
import { Facts, Section, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { Bones } from '../../kit/bones.tsx';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { moment } from '../../kit/words.ts';
import { AppSection } from './app-section.tsx';
import c from './connectors.module.css';
import { Ending } from './ending.tsx';
import { FoundSection } from './found-section.tsx';
import { SchemaForm, tidy, type Values } from './schema-form.tsx';
import { useMaybe } from './use-maybe.ts';
import { accessWords, OWN_SERVER, until, type Connector, type Kind } from './words.ts';

type Account = OutputOf<typeof getAccount>;

/** Whose account calls use at a vendor: the app through which people connect their own, or the account that the organization gives. */
export function AccountPanel({ of }: { of: Connector }) {
  const org = useOrg();
  const { items } = useAsk(listCatalogue, { org, query: { limit: 200 } });
  const kind = items.find((k) => k.type === of.type);
  const may = useMay('connector.manage');
  if (!may.ok)
    return (
      <div className="gh-empty">
        <p>{sentence(may.says)}</p>
        <p>{sentence(may.fix)}</p>
      </div>
    );
  const own = of.type === OWN_SERVER && of.actAs !== 'none';
  if (own)
    return (
      <>
        <FoundSection of={of} />
        {of.actAs === 'person' && <AppSection of={of} needed={false} />}
      </>
    );
  if (of.actAs === 'none' || !kind)
    return (
      <div className="gh-empty">
        <p>Calls of {of.name} need no account.</p>
      </div>
    );
  return of.actAs === 'person' ? <AppSection of={of} /> : <AccountSection of={of} kind={kind} />;
}

function AccountSection({ of, kind }: { of: Connector; kind: Kind }) {
  const org = useOrg();
  const at = { org, con: of.id };
  const { data: account, waiting, refusal } = useMaybe(getAccount, at);
  const [asking, setAsking] = useState<'give' | 'take'>();
  if (waiting) return <Bones rows={3} />;
  return (
    <Section
      title="The organization’s account"
      aside={
        account && (
          <span className="gh-actions">
            <Act can="connector.manage" size="sm" onClick={() => setAsking('give')}>
              Give another…
            </Act>
            <Act can="connector.manage" size="sm" onClick={() => setAsking('take')}>
              Take it away…
            </Act>
          </span>
        )
      }
    >
      <Problem of={refusal} />
      {account ? (
        <AccountFacts of={account} kind={kind} />
      ) : (
        <div className="gh-empty">
          <p>
            {of.name} has no account yet, so every call fails. Give it one:{' '}
            {kind.organization.map((g) => g.name).join(', ')}.
          </p>
          <div className="gh-actions">
            <Act can="connector.manage" onClick={() => setAsking('give')}>
              Give an account…
            </Act>
          </div>
        </div>
      )}
      {asking === 'give' && <Give of={of} kind={kind} onClose={() => setAsking(undefined)} />}
      {asking === 'take' && <Take of={of} onClose={() => setAsking(undefined)} />}
    </Section>
  );
}

const AccountFacts = ({ of, kind }: { of: Account; kind: Kind }) => (
  <Facts
    of={[
      ['As', of.account ?? 'unknown: it was kept without being tried'],
      ['Kind', kind.organization.find((g) => g.kind === of.kind)?.name ?? of.kind],
      ['For', accessWords[of.access]],
      [
        'State',
        of.state === 'active' ? (
          'in order'
        ) : (
          <State key="s" is="broken">
            {of.why ?? of.state.replaceAll('_', ' ')}
          </State>
        ),
      ],
      ['Ends', until(of.endsAt)],
      ['Last used', of.lastUsedAt ? moment(of.lastUsedAt) : 'not yet'],
      ['Given', moment(of.givenAt)],
      ...Object.entries(of.shown).map(([k, v]) => [k.replaceAll('_', ' '), v] as const),
    ]}
  />
);

function Give({ of, kind, onClose }: { of: Connector; kind: Kind; onClose: () => void }) {
  const org = useOrg();
  const kinds = kind.organization.filter((g) => g.actsAs.includes(of.actAs));
  const [which, setWhich] = useState(kinds[0]?.kind ?? '');
  const [fields, setFields] = useState<Values>({});
  const [unchecked, setUnchecked] = useState(false);
  const give = useDo(giveAccount, { also: ['connections', 'mine'], done: onClose });
  const chosen = kinds.find((g) => g.kind === which);
  return (
    <Modal opened onClose={onClose} title={`The account for ${of.name}`} size={560}>
      <div className={c.stack}>
        {kinds.length > 1 && (
          <Select
            label="Kind"
            data={kinds.map((g) => ({ value: g.kind, label: g.name }))}
            value={which}
            onChange={(to) => {
              setWhich(to ?? '');
              setFields({});
            }}
          />
        )}
        {chosen && <SchemaForm schema={chosen.fields} values={fields} onChange={setFields} />}
        <Checkbox
          label="Keep it without trying it"
          description="It is tried at the vendor before it is kept, unless you say this."
          checked={unchecked}
          onChange={(e) => setUnchecked(e.currentTarget.checked)}
        />
        <Problem of={give.refusal} />
        <Ending onClose={onClose}>
          <Button
            variant="filled"
            disabled={!chosen}
            loading={give.busy}
            onClick={() => void give.run({ org, con: of.id, body: { kind: which, fields: tidy(fields), unchecked } })}
          >
            {unchecked ? 'Keep the account' : 'Try and keep the account'}
          </Button>
        </Ending>
      </div>
    </Modal>
  );
}

function Take({ of, onClose }: { of: Connector; onClose: () => void }) {
  const org = useOrg();
  const take = useDo(takeAccount, { also: ['connections', 'mine'], done: onClose });
  return (
    <Modal opened onClose={onClose} title={`Take the account from ${of.name}?`} size={480}>
      <div className={c.stack}>
        <p className="gh-s gh-2">
          From now on nobody’s calls work here, and what was given is gone. It cannot be brought back, only given anew.
        </p>
        <Problem of={take.refusal} />
        <Ending onClose={onClose}>
          <Button
            variant="filled"
            color="negative"
            loading={take.busy}
            onClick={() => void take.run({ org, con: of.id })}
          >
            Take the account away
          </Button>
        </Ending>
      </div>
    </Modal>
  );
}
