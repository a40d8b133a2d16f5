import { announceCapture, cancelCapture, listCaptures } from '@gatehouse/client/domains.ts';
import { Facts, Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useHere } from '../../kit/org.tsx';
import { count, day } from '../../kit/words.ts';
import { Confirm } from '../people/confirm.tsx';
import type { Domain } from './domains.tsx';

/** Where the people of a domain belong: announced with notice, answered by each, called off at any time until then. */
export function Capture({ domain: d }: { domain: Domain }) {
  const { org, orgName } = useHere();
  const [asking, setAsking] = useState(false);
  const announce = useDo(announceCapture);
  const cancel = useDo(cancelCapture);
  const capture = useAsk(listCaptures, { org }).items.find((x) => x.domain === d.id);
  return (
    <Section title="Where its people belong">
      {capture ? (
        <>
          <p className="gh-s gh-2">
            {capture.state === 'announced'
              ? `Announced: from ${day(capture.endsAt)} people of ${d.shown} are led here.`
              : `People of ${d.shown} are led to ${capture.org === org ? orgName : 'another organization'}.`}
          </p>
          <Facts
            of={[
              ['Asked', count(capture.offered)],
              ['Come along', count(capture.merge)],
              ['Start fresh', count(capture.fresh)],
              ['Carried out', count(capture.applied)],
            ]}
          />
        </>
      ) : (
        <p className="gh-s gh-2">
          People with an account elsewhere in this deployment stay where they are. Capture leads new sign-ins of{' '}
          {d.shown} here, after at least 30 days in which people choose.
        </p>
      )}
      <div className="gh-actions">
        <Act can="sso.manage" size="sm" onClick={() => setAsking(true)}>
          {capture ? 'Call it off…' : 'Announce that they belong here…'}
        </Act>
      </div>
      <Confirm
        open={asking}
        title={capture ? 'Call the capture off?' : `Announce that people of ${d.shown} belong to ${orgName}?`}
        act={capture ? 'Call it off' : 'Announce, with 30 days of notice'}
        busy={announce.busy || cancel.busy}
        refusal={announce.refusal ?? cancel.refusal}
        onClose={() => setAsking(false)}
        onAct={() =>
          void (capture
            ? cancel.run({ org, domain: d.id }, () => setAsking(false))
            : announce.run({ org, domain: d.id, body: { noticeDays: 30 } }, () => setAsking(false)))
        }
      >
        <p className="gh-s gh-2">
          {capture
            ? 'What people chose already stays. Nobody else is asked.'
            : 'Everybody with an account under the domain is told and chooses: come along, or start fresh. Nothing moves for 30 days, and you can call it off until then.'}
        </p>
      </Confirm>
    </Section>
  );
}
