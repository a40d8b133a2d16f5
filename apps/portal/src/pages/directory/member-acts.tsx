import { endAllSessions } from '@gatehouse/client/identity.ts';
import { reactivateUser, removeMember, suspendUser } from '@gatehouse/client/org.ts';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Confirm } from '../people/confirm.tsx';
import { useGo } from '../people/go.tsx';
import { Ends } from './ends.tsx';

/** What is asked about a member before it is done. */
export type Question = 'remove' | 'suspend' | 'back' | 'sessions';

/** The dialogs of a member's page: each says what ends before it ends. */
export function Asked({
  id,
  user,
  name,
  asking,
  onClose,
}: {
  id: string;
  user: string;
  name: string;
  asking: Question | undefined;
  onClose: () => void;
}) {
  const org = useOrg();
  const go = useGo();
  const remove = useDo(removeMember, { also: ['provisioning', 'identity'] });
  const suspend = useDo(suspendUser, { also: ['provisioning', 'identity'] });
  const back = useDo(reactivateUser, { also: ['provisioning', 'identity'] });
  const end = useDo(endAllSessions, { also: ['org'] });
  const close = (): void => {
    for (const d of [remove, suspend, back, end]) d.forget();
    onClose();
  };
  if (asking === undefined) return null;
  if (asking === 'back')
    return (
      <Confirm
        open
        title={`Let ${name} back in?`}
        act="Let back in"
        busy={back.busy}
        refusal={back.refusal}
        onClose={close}
        onAct={() => void back.run({ org, user }).then((done) => done && close())}
      >
        <p className="gh-s gh-2">
          The account works again in every organization of the parent. What ended when it was suspended stays ended:
          sessions, consents and connections are made anew.
        </p>
      </Confirm>
    );
  if (asking === 'sessions')
    return (
      <Confirm
        open
        danger
        title={`End every session of ${name}?`}
        act="End the sessions"
        busy={end.busy}
        refusal={end.refusal}
        onClose={close}
        onAct={() => void end.run({ org, member: id }).then((done) => done && close())}
      >
        <p className="gh-s gh-2">
          The next request of each browser is refused, and {name} may sign in again at once. Agents go on: suspend the
          person to stop those too.
        </p>
      </Confirm>
    );
  const doing = asking === 'remove' ? remove : suspend;
  return (
    <Confirm
      open
      danger
      title={asking === 'remove' ? `Remove ${name}?` : `Suspend ${name}?`}
      act={asking === 'remove' ? `Remove ${name}` : `Suspend ${name}`}
      busy={doing.busy}
      refusal={doing.refusal}
      onClose={close}
      onAct={() =>
        void (asking === 'remove'
          ? remove.run({ org, member: id }).then((done) => done && go('directory/members'))
          : suspend.run({ org, user }).then((done) => done && close()))
      }
    >
      <Ends member={id} name={name} what={asking} />
    </Confirm>
  );
}
