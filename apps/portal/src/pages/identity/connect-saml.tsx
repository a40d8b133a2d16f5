import { Button, Checkbox, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import { createSamlConnection } from '@gatehouse/client/identity.ts';
import { useState } from 'react';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import type { Guide } from './there.tsx';
import c from './sso.module.css';

/** What a SAML provider gives: its metadata, by address or as text; or its parts, by hand. */
export function ConnectSaml({ guide, onMade }: { guide: Guide; onMade: (id: string) => void }) {
  const org = useOrg();
  const bring = guide.saml.bring.find((b) => b.asked === 'metadata');
  const [name, setName] = useState(guide.id === 'generic' ? '' : guide.name);
  const [how, setHow] = useState('metadata');
  const [metadata, setMetadata] = useState('');
  const [issuer, setIssuer] = useState('');
  const [address, setAddress] = useState('');
  const [pem, setPem] = useState('');
  const [inside, setInside] = useState(false);
  const making = useDo(createSamlConnection);
  const text = metadata.trim();
  const from =
    how === 'by_hand'
      ? {
          kind: 'by_hand' as const,
          issuer: issuer.trim(),
          signInUrl: address.trim(),
          certificates: pem.trim() === '' ? [] : [pem.trim()],
        }
      : text.startsWith('<')
        ? { kind: 'metadata_xml' as const, xml: text }
        : { kind: 'metadata_url' as const, url: text };
  const run = (): void =>
    void making
      .run({ org, body: { name: name.trim() || guide.name, from, allowPrivate: inside } })
      .then((made) => made && onMade(made.id));
  return (
    <form
      className={c.form}
      onSubmit={(e) => {
        e.preventDefault();
        run();
      }}
    >
      <TextInput
        label="Name"
        description="As people see it at sign-in."
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
      <SegmentedControl
        aria-label="How"
        value={how}
        onChange={setHow}
        data={[
          { value: 'metadata', label: 'Metadata' },
          { value: 'by_hand', label: 'By hand' },
        ]}
      />
      {how === 'metadata' ? (
        <Textarea
          label="Metadata: its address, or its XML"
          description={bring?.field}
          placeholder={bring?.like ?? ''}
          required
          autosize={false}
          rows={text.startsWith('<') ? 10 : 2}
          value={metadata}
          onChange={(e) => setMetadata(e.currentTarget.value)}
          styles={{ input: { fontFamily: 'var(--gh-mono)', fontSize: 12 } }}
        />
      ) : (
        <>
          <TextInput
            label="Issuer (entity ID)"
            required
            value={issuer}
            onChange={(e) => setIssuer(e.currentTarget.value)}
          />
          <TextInput
            label="Sign-in address"
            required
            value={address}
            onChange={(e) => setAddress(e.currentTarget.value)}
          />
          <Textarea
            label="Certificate (PEM)"
            description="With which it signs. More can be added later."
            rows={6}
            value={pem}
            onChange={(e) => setPem(e.currentTarget.value)}
            styles={{ input: { fontFamily: 'var(--gh-mono)', fontSize: 12 } }}
          />
        </>
      )}
      <Checkbox
        checked={inside}
        onChange={(e) => setInside(e.currentTarget.checked)}
        label="It is inside our private network: this server may ask its address there"
      />
      <Problem of={making.refusal} />
      <div className="gh-actions">
        <Button type="submit" variant="filled" loading={making.busy}>
          Connect {name.trim() || guide.name}
        </Button>
      </div>
    </form>
  );
}
