import { Button } from '@mantine/core';
import { findSettings, listMappings, listNearMisses } from '@gatehouse/client/provisioning.ts';
import { Banner, Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { count, countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { GoButton } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { AddMapping } from './add-mapping.tsx';
import { editsOf, nothing, type Draft } from './draft.ts';
import c from './mappings.module.css';
import { MappingTable } from './mapping-table.tsx';
import { modeWord } from './mode-words.ts';
import { PlanBox } from './plan-box.tsx';
import { StandingNames } from './standing-names.tsx';
import { SyncNow } from './sync-now.tsx';
import { usePlan } from './use-plan.ts';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(findSettings, { org }), ask(listMappings, { org }), ask(listNearMisses, { org })]);

/** Which groups give which role, and what a change of it would do to whom. */
export function Page() {
  const org = useOrg();
  const settings = useAsk(findSettings, { org });
  const { items } = useAsk(listMappings, { org });
  const { items: misses } = useAsk(listNearMisses, { org });
  const [draft, setDraft] = useState<Draft>(nothing);
  const [adding, setAdding] = useState(false);
  const [syncing, setSyncing] = useState(false);
  const [said, setSaid] = useState<string>();
  const made = items.filter((m) => !m.predefined);
  const edits = editsOf(draft, made);
  const plan = usePlan(org, edits);
  const { held, limit, minutes } = settings.brake;
  const done = (says: string): void => {
    setDraft(nothing);
    setSaid(says);
  };
  return (
    <div className="gh-page">
      <PageHead
        room="Directory"
        roomAt="directory/members"
        title="Group mappings"
        actions={
          <>
            <Act can="directory.manage" onClick={() => setSyncing(true)}>
              Sync now…
            </Act>
            <Act can="directory.manage" onClick={() => setAdding(true)}>
              Add a mapping
            </Act>
          </>
        }
      >
        Which groups give which role. A person in several groups gets the highest role. Mode:{' '}
        {modeWord[settings.mode].name}.
      </PageHead>
      {held > 0 && (
        <Banner
          is="held"
          title={`${countOf(held, 'removal is', 'removals are')} held`}
          actions={
            <GoButton to="directory/held" size="sm" variant="filled">
              Review {countOf(held, 'person', 'people')}
            </GoButton>
          }
        >
          The brake holds more than {count(limit)} removals in {count(minutes)} minutes. Who is held keeps access until
          an owner decides; removing one person at a time is never held.
        </Banner>
      )}
      {said !== undefined && (
        <Banner
          is="answered"
          title="The mappings are in force"
          actions={
            <Button size="sm" onClick={() => setSaid(undefined)}>
              Close
            </Button>
          }
        >
          {said}
        </Banner>
      )}
      <div className={edits.length > 0 || plan.plan ? c.cols : undefined}>
        <div className={c.stack}>
          <Section
            title="Mappings"
            note={edits.length > 0 ? countOf(edits.length, 'unsaved change') : countOf(made.length, 'mapping')}
            aside={
              edits.length > 0 && (
                <Button size="sm" variant="subtle" onClick={() => setDraft(nothing)}>
                  Undo all
                </Button>
              )
            }
          >
            {made.length === 0 && draft.added.length === 0 ? (
              <div className="gh-empty">
                <h3>No group is mapped</h3>
                <p>
                  A mapping gives everybody in a group of your identity provider a role here. Until there is one, roles
                  are given by hand or by the pre-defined names below.
                </p>
                <div className="gh-actions">
                  <Act can="directory.manage" variant="filled" onClick={() => setAdding(true)}>
                    Add a mapping
                  </Act>
                </div>
              </div>
            ) : (
              <MappingTable
                mappings={made}
                misses={misses.filter((n) => made.some((m) => m.id === n.mapping))}
                draft={draft}
                onDraft={(next) => {
                  setSaid(undefined);
                  setDraft(next);
                }}
                onPlan={plan.put}
                onDone={done}
              />
            )}
          </Section>
          <StandingNames
            of={items.filter((m) => m.predefined)}
            misses={misses}
            prefix={settings.prefix}
            onPlan={plan.put}
            onDone={done}
          />
        </div>
        {(edits.length > 0 || plan.plan) && (
          <PlanBox
            title="If you apply these changes"
            plan={plan.plan}
            computing={plan.computing}
            refusal={plan.refusal}
            onAgain={plan.again}
            onApplied={done}
          />
        )}
      </div>
      {adding && (
        <AddMapping
          onClose={() => setAdding(false)}
          onAdd={(added) => {
            setAdding(false);
            setSaid(undefined);
            setDraft({ ...draft, added: [...draft.added.filter((a) => a.key !== added.key), added] });
          }}
        />
      )}
      {syncing && <SyncNow onClose={() => setSyncing(false)} />}
    </div>
  );
}
