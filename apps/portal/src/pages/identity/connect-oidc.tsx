import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core';
import { createConnection } from '@gatehouse/client/identity.ts';
import { useState } from 'react';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import type { Guide } from './there.tsx';
import c from './sso.module.css';

const listed = (text: string): string[] => text.split(/[\s,;]+/).filter((t) => t !== '');

/** What an OpenID provider gives: issuer, client and its secret; and whose people are meant where it serves everybody. */
export function ConnectOidc({ guide, onMade }: { guide: Guide; onMade: (id: string) => void }) {
  const org = useOrg();
  const bring = guide.oidc.bring;
  const asked = (what: string) => bring.find((b) => b.asked === what);
  const [name, setName] = useState(guide.id === 'generic' ? '' : guide.name);
  const [issuer, setIssuer] = useState('');
  const [client, setClient] = useState('');
  const [secret, setSecret] = useState('');
  const [ours, setOurs] = useState(false);
  const [hosted, setHosted] = useState('');
  const [tenant, setTenant] = useState('');
  const [inside, setInside] = useState(false);
  const making = useDo(createConnection);
  const run = (): void =>
    void making
      .run({
        org,
        body: {
          name: name.trim() || guide.name,
          issuer: issuer.trim().replace(/\/\.well-known\/openid-configuration\/?$/, ''),
          clientId: client.trim(),
          ...(ours ? { privateKeyJwt: true as const } : secret === '' ? {} : { clientSecret: secret.trim() }),
          ...(hosted.trim() === '' ? {} : { hostedDomains: listed(hosted) }),
          ...(tenant.trim() === '' ? {} : { tenants: listed(tenant) }),
          allowPrivate: inside,
        },
      })
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
      <TextInput
        label="Issuer"
        description={asked('issuer')?.field}
        placeholder={asked('issuer')?.like ?? ''}
        required
        value={issuer}
        onChange={(e) => setIssuer(e.currentTarget.value)}
      />
      <TextInput
        label="Client id"
        description={asked('client_id')?.field}
        placeholder={asked('client_id')?.like ?? ''}
        required
        autoComplete="off"
        value={client}
        onChange={(e) => setClient(e.currentTarget.value)}
      />
      {!ours && (
        <PasswordInput
          label="Client secret"
          description={asked('client_secret')?.field}
          autoComplete="off"
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the client secret' }}
          value={secret}
          onChange={(e) => setSecret(e.currentTarget.value)}
        />
      )}
      <Checkbox
        checked={ours}
        onChange={(e) => setOurs(e.currentTarget.checked)}
        label="No secret: prove with a key of ours (private_key_jwt)"
      />
      {asked('hosted_domains') && (
        <TextInput
          label="Domains whose people may come in"
          description={asked('hosted_domains')?.field}
          placeholder={asked('hosted_domains')?.like ?? ''}
          value={hosted}
          onChange={(e) => setHosted(e.currentTarget.value)}
        />
      )}
      {asked('tenant') && (
        <TextInput
          label="Tenant id"
          description={asked('tenant')?.field}
          placeholder={asked('tenant')?.like ?? ''}
          value={tenant}
          onChange={(e) => setTenant(e.currentTarget.value)}
        />
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
