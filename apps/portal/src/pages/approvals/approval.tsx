import { ActionIcon, Button, Menu } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { cancel, revoke } from '@gatehouse/client/approvals.ts';
import { Glyph } from '@gatehouse/ui/glyphs.tsx';
import { State } from '@gatehouse/ui/parts.tsx';
import { IconArrowLeft, IconDots, IconFingerprint } from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useDo } from '../../kit/ask.ts';
import { useHere, useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { useGo } from '../../kit/use-go.ts';
import { countOf } from '../../kit/words.ts';
import { To } from '../../shell/rooms.tsx';
import c from './approvals.module.css';
import { AgentSays, CallTitle, CallView, HashWords } from './call-view.tsx';
import { CancelDialog, DenyDialog, Raw } from './dialogs.tsx';
import type { Screen } from './pieces.tsx';
import { TimeLeft } from './time-left.tsx';
import { useDecision } from './use-decision.ts';
import { usePlace, useScreen } from './use-screen.ts';
import { useSeen } from './use-seen.ts';

const icon = { size: 18, stroke: 1.75, 'aria-hidden': true } as const;

/** Why whoever looks is asked, with the way to the rules for those who may read them. */
const Why = ({ of: s }: { of: Screen }) => {
  const { may } = useHere();
  return (
    <section>
      <h2>{s.act.kind === 'watch' || s.act.kind === 'own' ? 'Why it is asked' : 'Why you are asked'}</h2>
      <p className="gh-s gh-2">{s.why}</p>
      {may('policy.read').ok &&
        s.rules.map((r) => (
          <p key={r.id} className="gh-s">
            <To at={`policy/rules/${r.id}`}>{r.name}</To>
          </p>
        ))}
    </section>
  );
};

/** One request in full: what is wanted, the call field by field, the agent's words, the hash words, and the decision. */
export function Page() {
  const { approval = '' } = useParams({ strict: false }) as { approval?: string };
  const org = useOrg();
  const go = useGo();
  const { screen: s, again } = useScreen(org, approval);
  const place = usePlace(org, approval, () => void again());
  const [seen, end] = useSeen();
  const [dialog, setDialog] = useState<'raw' | 'deny' | 'cancel'>();
  const decision = useDecision(org, [{ approval, hash: s.hash }], again);
  const [takeBack, revoking] = [useDo(cancel), useDo(revoke)];
  const phone = useMediaQuery('(max-width: 900px)', false, { getInitialValueInEffect: false });
  const size = phone ? 'xl' : 'lg';
  const open = s.state === 'pending';
  const { act } = s;

  const approve = (): void => {
    if (seen && act.kind === 'decide') void decision.decide('approved', { fresh: act.fresh });
  };
  const deny = (
    <Button size={size} px={0} loading={decision.busy === 'denied'} onClick={() => void decision.decide('denied')}>
      Deny
    </Button>
  );
  const decide: ReactNode = (() => {
    switch (act.kind) {
      case 'decide':
        return (
          <div className={c.decide}>
            {deny}
            <Button
              size={size}
              px={0}
              variant="filled"
              aria-disabled={!seen}
              aria-describedby="seen"
              loading={decision.busy === 'approved'}
              leftSection={act.fresh ? <IconFingerprint {...icon} /> : undefined}
              onClick={approve}
            >
              {act.fresh ? 'Approve with passkey' : 'Approve'}
            </Button>
          </div>
        );
      case 'deny_only':
        return (
          <div className={c.decide}>
            {deny}
            <Button size={size} px={0} aria-disabled aria-describedby="seen">
              Approve
            </Button>
          </div>
        );
      case 'own':
        return (
          <Button size={size} onClick={() => setDialog('cancel')}>
            Take the request back…
          </Button>
        );
      case 'watch':
        return null;
      case 'over':
        return (
          <div className={c.act} role="status">
            <p className="gh-s">
              <State
                is={s.state === 'approved' ? 'answered' : s.state === 'denied' ? 'denied' : 'expired'}
                quiet={s.state !== 'denied'}
              >
                {act.state}
              </State>
            </p>
            <p className="gh-s gh-2">{act.says}</p>
            {act.revocable && (
              <Button loading={revoking.busy} onClick={() => void revoking.run({ org, approval }).then(again)}>
                Take the yes back
              </Button>
            )}
            {place.next !== undefined && (
              <Button variant="filled" onClick={() => go(`approvals/inbox/${place.next ?? ''}`)}>
                Next: {countOf(place.of, 'call waits', 'calls wait')}
              </Button>
            )}
          </div>
        );
    }
  })();
  const hint =
    act.kind === 'decide'
      ? seen
        ? 'You have seen all of it.'
        : 'Scroll to the end to approve; deny at any time.'
      : act.kind === 'over'
        ? ''
        : sentence(act.because);
  const refusal = decision.refusal ?? takeBack.refusal ?? revoking.refusal;
  const ofAll = place.at >= 0 && `${place.at + 1} of ${place.of}${place.more ? ' or more' : ''}`;
  const time = open && <TimeLeft until={s.expires} onOver={() => void again()} />;
  const more = (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon size="lg" aria-label="More">
          <IconDots {...icon} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => setDialog('raw')}>Show the raw call</Menu.Item>
        {(act.kind === 'decide' || act.kind === 'deny_only') && (
          <Menu.Item onClick={() => setDialog('deny')}>Deny with a reason…</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
  const dialogs = (
    <>
      <Raw org={org} approval={approval} opened={dialog === 'raw'} onClose={() => setDialog(undefined)} />
      <DenyDialog
        opened={dialog === 'deny'}
        asker={s.asker}
        onClose={() => setDialog(undefined)}
        onDeny={(reason) => {
          setDialog(undefined);
          void decision.decide('denied', { reason });
        }}
      />
      <CancelDialog
        opened={dialog === 'cancel'}
        busy={takeBack.busy}
        onClose={() => setDialog(undefined)}
        onCancel={() =>
          void takeBack.run({ org, approval }).then(() => {
            setDialog(undefined);
            return again();
          })
        }
      />
    </>
  );

  if (phone)
    return (
      <div className={c.phone}>
        <div className={c.top}>
          <ActionIcon size="lg" aria-label="All approvals" onClick={() => go('approvals/inbox')}>
            <IconArrowLeft {...icon} />
          </ActionIcon>
          <b>Approval</b>
          {ofAll && <span className="gh-3 gh-s">{ofAll}</span>}
          <span className="gh-grow" />
          {open && <Glyph name="expired" size={16} />}
          {time}
          {more}
        </div>
        <div className={c.inside}>
          <CallTitle of={s} />
          <CallView of={s} />
          <AgentSays of={s} />
          <HashWords of={s} />
          <Why of={s} />
          <div ref={end} className={c.end} />
        </div>
        <div className={c.foot}>
          <Problem of={refusal} />
          {hint && (
            <p className={c.hint} id="seen">
              {hint}
            </p>
          )}
          {decide}
        </div>
        {dialogs}
      </div>
    );
  return (
    <div className="gh-page">
      <div className={c.frame}>
        <div className={c.call}>
          <div className="gh-room">
            <To at="approvals/inbox">Approvals</To> {ofAll && <span>{ofAll}</span>}
          </div>
          <CallTitle of={s} />
          <CallView of={s} />
          <AgentSays of={s} />
          <div ref={end} className={c.end} />
        </div>
        <aside className={`gh-box ${c.panel}`} aria-label="Decision">
          <section>
            <div className="gh-line">
              {open ? <State is="held">Held</State> : <State is="none">Decided</State>}
              <span className="gh-grow" />
              {open && <span className="gh-s gh-2">expires in</span>}
              {time}
              {more}
            </div>
          </section>
          <HashWords of={s} />
          <Why of={s} />
          <section className={c.act}>
            {decide}
            <Problem of={refusal} />
            {hint && (
              <p className="gh-xs gh-3" id="seen">
                {hint}
              </p>
            )}
          </section>
        </aside>
      </div>
      {dialogs}
    </div>
  );
}
