import { z } from 'zod';
import type { Egress } from '@gatehouse/server/kernel/egress.ts';
import { MiB } from '@gatehouse/server/kernel/limits.ts';
import { asProblem } from '@gatehouse/server/kernel/problem.ts';
import type { Secret } from '@gatehouse/server/kernel/secret.ts';
import { EXIT, Refusal, usage } from './exit.ts';

/** The API of one organization. */
export type OrgApi = {
  ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, reply: z.ZodType<T>, body?: object): Promise<T>;
  /** The answer as it is, for a file. */
  text(path: string): Promise<string>;
};

/** A backtest with all its examples. */
const MAX_ANSWER = 16 * MiB;
const TIMEOUT_MS = 60_000;

/** What somebody says who runs a deployment inside the network; the server's words for it are about connectors. */
const insideOnly: ReadonlySet<string> = new Set(['egress/plain-http', 'egress/private-address']);

const Said = z.object({ code: z.string(), detail: z.string(), fix: z.string().optional() });

/** Speaks to the address that `gatehouse bootstrap` prints as "API". Follows no redirect: the key is for this address. */
export function openApi(o: { url: string; key: Secret; egress: Egress; allowPrivate: readonly string[] }): OrgApi {
  const base = URL.parse(o.url);
  if (!base || !/^\/api\/orgs\/org_[0-9a-f]{32}\/?$/.test(base.pathname) || base.search !== '' || base.username !== '')
    throw usage(
      `${o.url.replace(/\/\/[^/@]*@/, '//…@')} is not the address of an organization's API`,
      'give it as bootstrap printed it: https://gate.example.com/api/orgs/org_…',
    );
  const at = base.href.replace(/\/+$/, '');
  const send = async (method: string, path: string, body: object | undefined): Promise<string> => {
    let answer: Response;
    try {
      answer = await o.egress.fetch(
        `${at}${path}`,
        {
          method,
          headers: {
            authorization: `Bearer ${o.key.reveal()}`,
            'user-agent': 'gatehouse-cli',
            ...(body ? { 'content-type': 'application/json' } : {}),
          },
          ...(body ? { body: JSON.stringify(body) } : {}),
        },
        { allowPrivate: o.allowPrivate, maxBytes: MAX_ANSWER, timeoutMs: TIMEOUT_MS },
      );
    } catch (e) {
      const p = asProblem(e);
      const fix = insideOnly.has(p.code) ? `use https, or give --allow-private ${base.host}` : p.fix;
      throw new Refusal(EXIT.failed, p.code, `${at} was not reached: ${p.says}`, fix);
    }
    const text = (await answer.text()).replaceAll(o.key.reveal(), '[redacted]');
    if (answer.ok) return text;
    const said = Said.safeParse(parsed(text));
    if (said.success) throw new Refusal(EXIT.failed, said.data.code, said.data.detail, said.data.fix);
    throw new Refusal(EXIT.failed, 'policy/strange-answer', `${at}${path} was answered ${answer.status}`);
  };
  return {
    async ask(method, path, reply, body) {
      const r = reply.safeParse(parsed(await send(method, path, body)));
      if (r.success) return r.data;
      throw new Refusal(
        EXIT.failed,
        'policy/strange-answer',
        `the answer to ${method} ${path.split('?')[0]} is not as this version knows it`,
        'use the command line of the same version as the server',
      );
    },
    text: (path) => send('GET', path, undefined),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const Items = z.object({ items: z.array(z.record(z.string(), z.unknown())), next: z.string().nullable() });

/** Every page of a list. */
export async function everyItem(api: OrgApi, path: string): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: z.infer<typeof Items> = await api.ask(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}limit=200${more}`,
      Items,
    );
    all.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return all;
}

/** The id of a member whom somebody names by id or e-mail. */
export async function userNamed(api: OrgApi, name: string): Promise<string> {
  if (/^usr_[0-9a-f]{32}$/.test(name)) return name;
  const found = await everyItem(api, `/members?q=${encodeURIComponent(name)}`);
  const one = found.find((m) => String(m['email']).toLowerCase() === name.toLowerCase());
  if (one) return String(one['user']);
  throw new Refusal(
    EXIT.failed,
    'policy/no-user',
    `no member has the e-mail address ${name}`,
    'give the address or the id of a member',
  );
}

/** The id of a connector that somebody names by id or by its short name. */
export async function connectorNamed(api: OrgApi, name: string): Promise<string> {
  if (/^con_[0-9a-f]{32}$/.test(name)) return name;
  const found = await everyItem(api, '/connectors');
  const one = found.find((c) => c['slug'] === name);
  if (one) return String(one['id']);
  throw new Refusal(
    EXIT.failed,
    'policy/no-connector',
    `no connector is called ${name}`,
    `there are: ${found.map((c) => String(c['slug'])).join(', ') || 'none'}`,
  );
}
