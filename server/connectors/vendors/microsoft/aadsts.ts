import type { RefusedBecause } from '#vault/oauth-facts.ts';
import type { Settings } from '#vault/vendor-auth.ts';

type Answer = Readonly<Record<string, unknown>>;
type Meaning = { because: RefusedBecause; says: string };

const person = (says: string): Meaning => ({ because: 'reconnect', says });
const app = (says: string): Meaning => ({ because: 'app', says });
const later = (says: string): Meaning => ({ because: 'later', says });

const multiFactor = person('Microsoft asks for a second factor or a fresh sign-in; connect again');
const device = person(
  'the organization lets only certain devices or apps sign in; connect again from such a device, or ask the administrators of Entra',
);
const notConsented = app(
  'nobody has consented to these permissions for this app, and here only an administrator of Entra may',
);

/**
 * What Entra's error numbers mean for a credential. The numbers are the only thing that tells a secret that has ended from a password that was
 * changed: both come as a plain OAuth error. A number that is not here means what its OAuth error means.
 */
const meanings: Readonly<Record<number, Meaning>> = {
  // The person's grant.
  50034: person('this account is not one of this tenant'),
  50053: person('this account is locked in Entra for now'),
  50055: person("the account's password has expired; sign in to Microsoft, change it and connect again"),
  50057: person('this account is disabled in Entra'),
  50072: multiFactor,
  50074: multiFactor,
  50076: multiFactor,
  50078: multiFactor,
  50079: multiFactor,
  50105: person(
    'this account is not assigned to the app in Entra; an administrator has to assign it there (Users and groups)',
  ),
  50132: person('the sign-in at Microsoft has ended; connect again'),
  50133: person('the sign-in at Microsoft has ended, because the password has changed or expired; connect again'),
  50158: multiFactor,
  50173: person('the consent has ended, because the password was changed or the sign-ins were revoked; connect again'),
  53000: device,
  53001: device,
  53002: device,
  54005: person('this consent was used already; connect again'),
  65001: person('this app has no consent for these permissions any more, or for new ones not yet; connect again'),
  65004: person('the consent was declined'),
  70000: person('the consent is not valid any more; connect again'),
  70008: person('the consent has ended, because it was not used for too long; connect again'),
  70043: person('the consent has ended by the sign-in frequency that the organization has set; connect again'),
  500133: later('the clocks of Microsoft and of this server differ'),
  530001: device,
  530002: device,
  530003: device,
  700082: person('the consent has ended, because it was not used for 90 days; connect again'),
  700084: person(
    'the consent was given to a single-page app and lives one day; the redirect address must be of the platform Web',
  ),
  // A policy, which another consent does not change.
  53003: app(
    'Conditional Access blocks the sign-in, often by the address of this server; an administrator of Entra has to look into the sign-in log and let the app through',
  ),
  // The registration.
  50011: app('the redirect address is not registered for this app; add it in Entra under Authentication, platform Web'),
  50020: app(
    'an account of another organization or a personal account came, and this tenant does not know it as a guest',
  ),
  50194: app('the app is registered for one tenant only, and another one was asked'),
  65005: app('the app asks for permissions that its registration does not name; add them under API permissions'),
  70001: app('this tenant has no app with this client id'),
  70011: app('a permission that is asked for does not exist in this form'),
  90002: app('there is no such tenant; check its id or domain'),
  90094: notConsented,
  90095: notConsented,
  90099: notConsented,
  500011: app('Microsoft Graph is not known in this tenant; check the origins of a national cloud'),
  650052: app('the tenant has no service principal or no licence for what is asked'),
  650053: app('the app asks for a permission that Microsoft Graph does not have'),
  700016: app('this tenant has no app with this client id'),
  700024: app('the proof by certificate is outside its time; check the clock of this server'),
  700027: app(
    'Entra does not know the certificate, or the proof is not signed by its key; upload the certificate to the app',
  ),
  700030: app('the certificate is not valid'),
  1000502: app('the certificate has ended; upload a new one to the app and give it here'),
  7000112: app('the app is disabled in this tenant'),
  7000215: app('the client secret is wrong; give the value of the secret, not its id'),
  7000216: app('the app has to prove itself by a secret or a certificate, and the answer says it did not'),
  7000218: app(
    'the app has to prove itself by a secret or a certificate; make it a confidential client of the platform Web',
  ),
  7000222: app('the client secret has ended; make a new one under Certificates & secrets and give it here'),
  // Entra itself.
  50196: later('Entra has seen too many of the same request'),
  90006: later('Entra is unavailable'),
  90033: later('Entra is unavailable'),
};

/** The numbers in an answer of Entra, most particular first as Entra gives them: `error_codes`, or what stands in the description. */
export function aadstsOf(answer: Answer): number[] {
  const listed = Array.isArray(answer['error_codes']) ? answer['error_codes'].filter((c) => typeof c === 'number') : [];
  const described = [...text(answer, 'error_description').matchAll(/AADSTS(\d{4,9})/g)].map((m) => Number(m[1]));
  return [...new Set([...listed, ...described])];
}

/** Who can mend it; undefined: what RFC 6749 says of the error. */
export function classifyEntra(status: number, answer: Answer): RefusedBecause | undefined {
  for (const code of aadstsOf(answer)) {
    const meaning = meanings[code];
    if (meaning) return meaning.because;
  }
  const error = text(answer, 'error');
  if (status === 429 || status >= 500 || error === 'temporarily_unavailable' || error === 'server_error')
    return 'later';
  if (error === 'interaction_required' || error === 'login_required') return 'reconnect';
  return error === 'consent_required' ? 'app' : undefined;
}

/** The same in words, with Entra's number for an administrator, and with the address where an administrator consents for everybody. */
export function explainEntra(answer: Answer, settings: Settings): string | undefined {
  const codes = aadstsOf(answer);
  const code = codes.find((c) => meanings[c]);
  const meaning = code === undefined ? undefined : meanings[code];
  const consent = code !== undefined && consents.has(code) ? ` ${adminConsent(answer, settings)}` : '';
  if (meaning) return `${meaning.says} (AADSTS${code})${consent ? `.${consent}` : ''}`;
  return codes[0] === undefined ? undefined : `Entra refuses it (AADSTS${codes[0]})`;
}

const consents: ReadonlySet<number> = new Set([65001, 90094, 90095, 90099]);

function adminConsent(answer: Answer, settings: Settings): string {
  const said = /application with ID '([0-9a-f-]{36})'/i.exec(text(answer, 'error_description'))?.[1];
  const tenant = typeof settings['tenant'] === 'string' ? encodeURIComponent(settings['tenant']) : '<tenant>';
  return `An administrator of Entra consents for everybody at https://login.microsoftonline.com/${tenant}/adminconsent?client_id=${said ?? '<client id>'}`;
}

const text = (answer: Answer, name: string): string => (typeof answer[name] === 'string' ? answer[name] : '');
