// An identity provider with the people of `people.ts`, over SAML 2.0: metadata, sign-in by redirect and POST, unasked sign-in, single logout.
// Whoever comes picks who they are. `--certificate expired` signs with a certificate that ended yesterday, as happens to the best; `--name-id
// sub` names people by what the directory calls them instead of by their address. POST /rotate takes the next key into use.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inflateRawSync } from 'node:zlib';
import { company, displayName, everybody, people, type Person } from './people.ts';
import { idpMetadata } from './saml-metadata.ts';
import { base64, logoutXml, redirectQuery, samlKey, samlResponse, xmlText, type SamlKey } from './saml-signer.ts';
import { serveStandIn, standInArgs } from './stand-in-process.ts';

const args = standInArgs(['certificate', 'name-id']);
const DAY_MS = 86_400_000;
const freshKey = (): SamlKey => samlKey({ name: `idp.${company.domain}` });
const expiredKey = (): SamlKey =>
  samlKey({
    name: `idp.${company.domain}`,
    notBefore: new Date(Date.now() - 400 * DAY_MS),
    notAfter: new Date(Date.now() - DAY_MS),
  });

const page = (body: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in to ${company.name}</title>
<style>body{font:1rem/1.5 system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem}button{display:block;width:100%;margin:.5rem 0;padding:.75rem;text-align:left;font:inherit}</style>
<h1>${company.name}</h1>${body}</html>`;

const form = async (req: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  for await (const c of req) chunks.push(Buffer.from(c as Uint8Array));
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
};
const found = (xml: string, what: RegExp): string => what.exec(xml)?.[1] ?? '';

/** What the application asks for; believed as it stands, because this is a stand-in. */
const readRequest = (xml: string) => ({
  id: found(xml, / ID="([^"]+)"/),
  acs: found(xml, /AssertionConsumerServiceURL="([^"]+)"/),
  audience: found(xml, /<(?:\w+:)?Issuer[^>]*>([^<]+)</),
});

const attributesOf = (p: Person): Record<string, string | readonly string[]> => ({
  email: p.email,
  first_name: p.given,
  last_name: p.family,
  department: p.department,
  ...(p.department === 'Sales' && p.sub !== people.lead.sub ? { manager_email: people.lead.email } : {}),
  groups: p.groups,
});

await serveStandIn(
  args.port,
  (url) => {
    let key = args.certificate === 'expired' ? expiredKey() : freshKey();
    let announced: readonly SamlKey[] = [key];
    const entityId = `${url}/metadata`;
    const metadata = (): string =>
      idpMetadata({ entityId, sso: `${url}/sso`, slo: `${url}/slo`, keys: announced, sign: key });

    /** The form that carries a response back. */
    const respond = async (
      p: Person,
      to: { request: string | undefined; acs: string; audience: string; relayState: string | undefined },
    ): Promise<string> => {
      const bySub = args['name-id'] === 'sub';
      const message = await samlResponse({
        key,
        idp: entityId,
        acs: to.acs,
        audience: to.audience,
        request: to.request,
        nameId: bySub ? p.sub : p.email,
        ...(bySub ? { nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' } : {}),
        session: `s-${p.sub}`,
        attributes: attributesOf(p),
      });
      const relay =
        to.relayState === undefined ? '' : `<input type="hidden" name="RelayState" value="${xmlText(to.relayState)}">`;
      return page(
        `<p>Signed in as ${displayName(p)}.</p><form method="post" action="${xmlText(to.acs)}"><input type="hidden" name="SAMLResponse" value="${base64(message)}">${relay}<button>Continue to the application</button></form>`,
      );
    };

    const choose = (request: string, relayState: string | undefined): string =>
      page(
        `<p>This stands for your company's identity provider. Who are you?</p><form method="post" action="/pick"><input type="hidden" name="request" value="${base64(request)}">${relayState === undefined ? '' : `<input type="hidden" name="RelayState" value="${xmlText(relayState)}">`}${everybody.map((p) => `<button name="sub" value="${p.sub}">${displayName(p)}, ${p.department}<br><small>${p.email}</small></button>`).join('\n')}</form>`,
      );

    const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
      const { pathname, searchParams: q } = new URL(req.url ?? '/', url);
      const html = (text: string): void =>
        void res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text);
      const body = req.method === 'POST' ? await form(req) : new URLSearchParams();
      const person = everybody.find((p) => p.sub === (body.get('sub') ?? q.get('sub')));
      switch (`${req.method} ${pathname}`) {
        case 'GET /metadata':
          res.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(metadata());
          return;
        case 'GET /sso':
          return html(
            choose(
              inflateRawSync(Buffer.from(q.get('SAMLRequest') ?? '', 'base64')).toString(),
              q.get('RelayState') ?? undefined,
            ),
          );
        case 'POST /sso':
          return html(
            choose(
              Buffer.from(body.get('SAMLRequest') ?? '', 'base64').toString(),
              body.get('RelayState') ?? undefined,
            ),
          );
        case 'POST /pick': {
          if (!person) break;
          const r = readRequest(Buffer.from(body.get('request') ?? '', 'base64').toString());
          console.error(`sign-in ${person.sub}`);
          return html(
            await respond(person, {
              request: r.id,
              acs: r.acs,
              audience: r.audience,
              relayState: body.get('RelayState') ?? undefined,
            }),
          );
        }
        case 'GET /unasked':
          if (!person) break;
          return html(
            await respond(person, {
              request: undefined,
              acs: q.get('acs') ?? '',
              audience: q.get('audience') ?? '',
              relayState: q.get('RelayState') ?? undefined,
            }),
          );
        case 'GET /slo': {
          const xml = inflateRawSync(Buffer.from(q.get('SAMLRequest') ?? '', 'base64')).toString();
          const r = readRequest(xml);
          const to = r.audience.replace('/saml/', '/saml/slo/');
          const query = redirectQuery(
            logoutXml({ kind: 'LogoutResponse', idp: entityId, to, inResponseTo: r.id }),
            'SAMLResponse',
            key,
          );
          res.writeHead(303, { location: `${to}?${query}` }).end();
          return;
        }
        case 'POST /announce':
          announced = [key, freshKey()];
          res.writeHead(204).end();
          return;
        case 'POST /rotate':
          key = announced[1] ?? freshKey();
          announced = [key];
          res.writeHead(204).end();
          return;
        default:
      }
      res.writeHead(404, { 'content-type': 'text/plain' }).end('nobody or nothing of that name is here\n');
    };
    return (req, res) => void answer(req, res).catch((e: unknown) => res.writeHead(500).end(String(e)));
  },
  (url) => ({ metadata: `${url}/metadata`, entityId: `${url}/metadata` }),
);
