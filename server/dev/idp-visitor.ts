import type { Person } from './people.ts';

/**
 * Goes to the identity provider as a person's browser would: opens the authorization URL, picks the person on the sign-in page, and
 * stops in front of the application.
 * @returns the application's redirect URI with what the provider put into it (`code`, `state`, `iss`), not yet opened
 */
export async function signInAtIdp(authorizationUrl: string | URL, person: Person): Promise<URL> {
  const start = new URL(authorizationUrl);
  const jar = new Map<string, string>();
  const visit = async (url: URL, init: RequestInit = {}): Promise<Response> => {
    const headers = {
      ...(init.headers as Record<string, string>),
      cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; '),
    };
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    return answer;
  };

  let at = start;
  let answer = await visit(at);
  for (let step = 0; step < 10; step++) {
    const location = answer.headers.get('location');
    if (location !== null) {
      at = new URL(location, at);
      if (at.origin !== start.origin) return at;
      answer = await visit(at);
    } else if (answer.ok && at.pathname.startsWith('/interaction/')) {
      answer = await visit(at, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ sub: person.sub }).toString(),
      });
    } else {
      throw new Error(`the identity provider says ${answer.status}: ${await answer.text()}`);
    }
  }
  throw new Error('the identity provider redirects in a circle');
}
