import type { OutputOf } from '@gatehouse/client/call.ts';
import type { listIdpGuides } from '@gatehouse/client/identity.ts';
import { CopyValue } from '../people/copy-value.tsx';
import c from './sso.module.css';

export type Guide = OutputOf<typeof listIdpGuides>['items'][number];
export type Way = NonNullable<Guide['scim']>;

/** What is done at the identity provider: the steps, each field with our value to copy, and the claims to send. */
export const There = ({ way, missing = 'known in the next step' }: { way: Way; missing?: string }) => (
  <>
    <ol className={c.steps}>
      {way.begin.map((s) => (
        <li key={s}>{s}</li>
      ))}
    </ol>
    <table className={`gh-table ${c.paste}`}>
      <thead>
        <tr>
          <th>Field there</th>
          <th>Value to enter</th>
        </tr>
      </thead>
      <tbody>
        {way.paste.map((p) => (
          <tr key={p.field}>
            <td>{p.field}</td>
            <td>
              {p.value === null ? (
                <span className="gh-3">{missing}</span>
              ) : (
                <CopyValue label={p.field}>{p.value}</CopyValue>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
    <ol className={c.steps}>
      {way.finish.map((s) => (
        <li key={s}>{s}</li>
      ))}
    </ol>
    <table className={`gh-table ${c.paste}`}>
      <thead>
        <tr>
          <th>We read</th>
          <th>Send it from</th>
        </tr>
      </thead>
      <tbody>
        {way.claims.map((k) => (
          <tr key={k.name}>
            <td className={c.got}>{k.name}</td>
            <td>{k.from}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </>
);
