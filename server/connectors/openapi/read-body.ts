import { visible } from '#kernel/visible.ts';
import { isRecord } from '../tool.ts';
import { followed, type Schema, type SchemaMaker } from './argument-schema.ts';
import type { Body, HttpMethod } from './operation.ts';
import type { OpenApiDocument } from './read-document.ts';
import { isJson } from './read-parameter.ts';
import { Unfit } from './refusal.ts';

type ReadBody = { body: Omit<Body, 'arg'>; schema: Schema; required: boolean };

/** The first form of a body that arguments can be written as: JSON, a form, text. */
export function bodyOf(
  stated: unknown,
  at: string,
  method: HttpMethod,
  doc: OpenApiDocument,
  maker: SchemaMaker,
): ReadBody {
  const found = followed(doc.root, stated, at);
  const content = isRecord(found.value) ? found.value['content'] : undefined;
  if (!isRecord(found.value) || !isRecord(content)) throw new Unfit(found.at, 'a body has a content');
  if (method === 'GET' || method === 'HEAD') throw new Unfit(found.at, `${method} with a body is not sent`);
  const required = found.value['required'] === true;
  const medias = Object.keys(content);
  const order: readonly [Body['type'], (media: string) => boolean][] = [
    ['json', isJson],
    ['form', (m) => /^application\/x-www-form-urlencoded\s*(;|$)/i.test(m)],
    ['text', (m) => /^text\/[\w.+*-]+\s*(;|$)/i.test(m)],
  ];
  for (const [type, fits] of order) {
    const media = medias.find(fits);
    const of = media === undefined ? undefined : content[media];
    if (media === undefined) continue;
    const place = `${found.at}/content/${media.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const schema = isRecord(of) && of['schema'] !== undefined ? maker.of(of['schema'], `${place}/schema`) : {};
    const fields = type === 'form' && isRecord(of) ? fieldsOf(of['encoding']) : undefined;
    return {
      body: { type, media: sentAs(type, media), ...(fields ? { fields } : {}) },
      schema: type === 'text' ? { ...(typeof schema === 'object' ? schema : {}), type: 'string' } : schema,
      required,
    };
  }
  const named = medias.map((m) => visible(m).slice(0, 60)).join(', ');
  throw new Unfit(
    found.at,
    medias.some((m) => m.toLowerCase().startsWith('multipart/'))
      ? 'its body is multipart, which sends files; arguments cannot carry them'
      : `its body can be sent as ${named === '' ? 'nothing' : named} only; JSON, forms and text are written`,
  );
}

/** INVARIANT: a header's value, of a form that cannot begin another line. */
const sentAs = (type: Body['type'], media: string): string => {
  const plain = media.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'form') return 'application/x-www-form-urlencoded';
  if (type === 'text') return /^text\/[\w.+-]+$/.test(plain) ? `${plain}; charset=utf-8` : 'text/plain; charset=utf-8';
  return /^application\/[\w.+-]+$/.test(plain) ? plain : 'application/json';
};

function fieldsOf(encoding: unknown): Body['fields'] {
  if (!isRecord(encoding)) return undefined;
  const fields = Object.entries(encoding).flatMap(([name, e]) => {
    if (!isRecord(e)) return [];
    const style = e['style'] === 'deepObject' ? ('deepObject' as const) : ('form' as const);
    const json = typeof e['contentType'] === 'string' && isJson(e['contentType']);
    return [
      [name, json ? { style: 'json' as const, explode: false } : { style, explode: e['explode'] !== false }] as const,
    ];
  });
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}
