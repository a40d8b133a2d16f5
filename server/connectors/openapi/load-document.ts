import { jcs } from '@gatehouse/contract/jcs.ts';
import { sha256 } from '@gatehouse/contract/sha256.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { Problem } from '#kernel/problem.ts';
import { tunnelTo } from '../add-connector.ts';
import { MAX_DOCUMENT_BYTES, readDocument, type OpenApiDocument } from './read-document.ts';

/** Where a document is: in the request, or at an address. `allowPrivate`: that address may be inside the network. */
export type Source = {
  document?: string | Readonly<Record<string, unknown>> | undefined;
  url?: string | undefined;
  allowPrivate?: boolean | undefined;
  /** The tunnel that leads to the document, and to the service. */
  tunnel?: string | undefined;
};
export type LoadedDocument = { doc: OpenApiDocument; sha256: string; from: URL | undefined };

/** A document takes longer than an answer of an API: some services write theirs when they are asked. */
const FETCH_MS = 30_000;

/** Reads a document that was given, or fetches it through egress, without any credential and without following anything. */
export async function loadDocument(ctx: OrgCtx, s: Source): Promise<LoadedDocument> {
  if ((s.document === undefined) === (s.url === undefined))
    throw new Problem('invalid', 'connectors/openapi-source', {
      says: 'give either the document or the url at which it is',
      fix: 'leave one of them out',
    });
  if (s.document !== undefined) {
    const text = typeof s.document === 'string' ? s.document : undefined;
    const doc = readDocument(s.document);
    return { doc, sha256: sha256(text ?? jcs(s.document)).toString('hex'), from: undefined };
  }
  const url = URL.parse(s.url ?? '');
  const via = s.tunnel === undefined ? undefined : await tunnelTo(ctx, s.tunnel, { ...s, url: s.url ?? '' });
  const rules = {
    maxBytes: MAX_DOCUMENT_BYTES,
    timeoutMs: FETCH_MS,
    ...(s.allowPrivate && url ? { allowPrivate: [url.host] } : {}),
    ...(via === undefined ? {} : { via }),
  };
  const answer = await ctx.egress.fetch(
    s.url ?? '',
    {
      headers: {
        accept: 'application/openapi+json, application/json, application/yaml;q=0.9, text/yaml;q=0.9, */*;q=0.5',
      },
    },
    rules,
  );
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Problem('upstream', 'connectors/openapi-fetch', {
      says: `${url?.host ?? 'the address'} answers with status ${answer.status}${answer.status < 400 ? ', which leads elsewhere and is not followed' : ''}`,
      fix: 'give the address at which the document itself is, or the document',
    });
  }
  const bytes = Buffer.from(await answer.arrayBuffer());
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (e) {
    throw new Problem('invalid', 'connectors/openapi-document', {
      says: '#: the document is not UTF-8',
      fix: 'save it as UTF-8',
      because: e,
    });
  }
  return { doc: readDocument(text), sha256: sha256(bytes).toString('hex'), from: url ?? undefined };
}
