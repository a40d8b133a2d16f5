import { Textarea } from '@mantine/core';
import { addSamlCertificate, readSamlConnection, removeSamlCertificate } from '@gatehouse/client/identity.ts';
import { Hash, Section, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { day } from '../../kit/words.ts';
import { Confirm } from '../people/confirm.tsx';

/** The certificates that a SAML provider may sign with; several at once, so that a renewal interrupts nobody. */
export function Certificates({ id }: { id: string }) {
  const org = useOrg();
  const k = useAsk(readSamlConnection, { org, connection: id });
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<string>();
  const [pem, setPem] = useState('');
  const add = useDo(addSamlCertificate);
  const remove = useDo(removeSamlCertificate);
  const now = Date.now();
  return (
    <Section
      title="Certificates"
      note="any one of these may sign"
      aside={
        <Act can="sso.manage" size="sm" onClick={() => setAdding(true)}>
          Add a certificate…
        </Act>
      }
    >
      {k.certificates.length === 0 ? (
        <p className="gh-s gh-2">None: nothing that this provider says can be believed yet.</p>
      ) : (
        <div className="gh-scroll" tabIndex={0} role="group" aria-label="Certificates">
          <table className="gh-table">
            <thead>
              <tr>
                <th>Subject</th>
                <th>Fingerprint</th>
                <th>From</th>
                <th>Valid until</th>
                <th>
                  <span className="gh-vh">Act</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {k.certificates.map((x) => {
                const left = new Date(x.notAfter).getTime() - now;
                return (
                  <tr key={x.fingerprint}>
                    <td>{x.subject}</td>
                    <td>
                      <Hash label="fingerprint">{x.fingerprint}</Hash>
                    </td>
                    <td>{x.source === 'metadata' ? 'metadata' : 'by hand'}</td>
                    <td className="gh-nowrap">
                      {left < 0 ? (
                        <State is="broken">ended {day(x.notAfter)}</State>
                      ) : left < 30 * 86_400_000 ? (
                        <State is="caution">{day(x.notAfter)}</State>
                      ) : (
                        day(x.notAfter)
                      )}
                    </td>
                    <td className="r">
                      <Act can="sso.manage" size="sm" onClick={() => setEnding(x.fingerprint)}>
                        Remove…
                      </Act>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      <Confirm
        open={adding}
        title="Add a certificate"
        act="Trust it too"
        busy={add.busy}
        refusal={add.refusal}
        wait={pem.trim() === '' ? 'Paste the certificate.' : undefined}
        onClose={() => setAdding(false)}
        onAct={() =>
          void add.run({ org, connection: id, body: { certificate: pem.trim() } }, () => {
            setPem('');
            setAdding(false);
          })
        }
      >
        <p className="gh-s gh-2">
          It is trusted beside those that are there, so add the next one before the present one ends.
        </p>
        <Textarea
          label="Certificate (PEM)"
          rows={8}
          value={pem}
          onChange={(e) => setPem(e.currentTarget.value)}
          data-autofocus
          styles={{ input: { fontFamily: 'var(--gh-mono)', fontSize: 12 } }}
        />
      </Confirm>
      <Confirm
        open={ending !== undefined}
        danger
        title="Stop trusting this certificate?"
        act="Stop trusting it"
        busy={remove.busy}
        refusal={remove.refusal}
        onClose={() => setEnding(undefined)}
        onAct={() =>
          ending !== undefined &&
          void remove.run({ org, connection: id, fingerprint: ending }, () => setEnding(undefined))
        }
      >
        <p className="gh-s gh-2">
          {k.certificates.length === 1
            ? 'It is the only one: nobody signs in through this connection afterwards.'
            : 'Sign-ins that are signed with it are refused at once.'}
        </p>
      </Confirm>
    </Section>
  );
}
