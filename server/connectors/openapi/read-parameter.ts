import { visible } from '#kernel/visible.ts';
import { isRecord } from '../tool.ts';
import type { Schema, SchemaMaker } from './argument-schema.ts';
import type { Parameter } from './operation.ts';
import type { OpenApiDocument } from './read-document.ts';
import { Unfit, wordOf } from './refusal.ts';

/** A parameter as the document has it. */
export type Candidate = { name: string; in: string; stated: Readonly<Record<string, unknown>>; at: string };
export type ReadParameter = Pick<Parameter, 'name' | 'in'> & {
  parameter: Omit<Parameter, 'arg'>;
  schema: Schema;
  required: boolean;
};

/** Those that OpenAPI itself says are not parameters: the request's own, which follow from its body and from who calls. */
const ignored = /^(accept|content-type|authorization)$/i;
/**
 * Headers that say how the request travels, for whom it is, or that it is another one than it looks. INVARIANT: no argument ever sets one.
 */
const forbidden =
  /^(host|cookie2?|content-(length|encoding|transfer-encoding)|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|via|forwarded|origin|referer|date|set-cookie2?|proxy-.*|sec-.*|x-forwarded-.*|x-real-ip|x-original-(url|host|uri)|x-rewrite-url|x-http-method(-override)?|x-method-override|mcp-.*)$/i;
const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** What some frameworks take for the method of the request. */
const methodNames = /^_method$/i;

/** How a parameter is sent, and what it must fit; undefined: it is left out, and `notes` says why. What is required and cannot be sent is `Unfit`. */
export function parameterOf(
  c: Candidate,
  doc: OpenApiDocument,
  maker: SchemaMaker,
  keys: ReadonlySet<string>,
  notes: string[],
): ReadParameter | undefined {
  const { stated, at, name } = c;
  const shown = visible(name).slice(0, 60);
  const required = stated['required'] === true || c.in === 'path';
  const without = (why: string): undefined => {
    if (required) throw new Unfit(at, `the ${c.in} parameter ${shown} is required, and ${why}`);
    notes.push(`${shown} is left out: ${why}`);
  };
  if (keys.has(`${c.in}:${name.toLowerCase()}`) || (c.in === 'header' && ignored.test(name))) {
    // The credential is put in by us, and these headers follow from the body: required or not, nobody is asked for them.
    notes.push(`${shown} is left out: it is no argument, but set by Gatehouse`);
    return undefined;
  }
  if (c.in === 'cookie') return without('cookies are not sent');
  if (c.in !== 'path' && c.in !== 'query' && c.in !== 'header')
    throw new Unfit(`${at}/in`, `${visible(c.in).slice(0, 40)} is no place of a parameter that is known`);
  if (c.in === 'header' && (forbidden.test(name) || !token.test(name)))
    return without('no argument may set this header');
  if (c.in === 'query' && methodNames.test(name)) return without('no argument may change the method');
  if (!name.isWellFormed() || /[\u0000-\u001f\u007f]/.test(name)) return without('its name cannot be sent');

  const content = stated['content'];
  if (content !== undefined) {
    const [media, only] = isRecord(content) ? (Object.entries(content)[0] ?? []) : [];
    if (media === undefined || !isJson(media) || c.in === 'path')
      return without(`its form ${visible(String(media)).slice(0, 60)} cannot be written`);
    const schema = maker.of(isRecord(only) ? (only['schema'] ?? true) : true, `${at}/content`);
    return read(c.in, 'json', false, schema);
  }
  const style = wordOf(stated['style'] ?? (c.in === 'query' ? 'form' : 'simple'));
  const known = styles[c.in].get(style);
  if (known === undefined) return without(`the style ${visible(style).slice(0, 40)} cannot be written there`);
  const explode = typeof stated['explode'] === 'boolean' ? stated['explode'] : known === 'form';
  return read(c.in, known, explode, maker.of(stated['schema'] ?? true, `${at}/schema`));

  function read(where: Parameter['in'], how: Parameter['style'], exploded: boolean, schema: Schema): ReadParameter {
    const parameter = {
      name,
      in: where,
      style: how,
      explode: exploded,
      ...(where === 'query' && stated['allowReserved'] === true ? { reserved: true as const } : {}),
    };
    return { name, in: where, parameter, required, schema: described(schema, stated['description']) };
  }
}

const styles: Readonly<Record<Parameter['in'], ReadonlyMap<string, Parameter['style']>>> = {
  path: new Map([['simple', 'simple']]),
  header: new Map([['simple', 'simple']]),
  query: new Map([
    ['form', 'form'],
    ['spaceDelimited', 'space'],
    ['pipeDelimited', 'pipe'],
    ['deepObject', 'deepObject'],
  ]),
};

export const isJson = (media: string): boolean => /^(?:application\/(?:[\w.+-]+\+)?json|\*\/\*)\s*(?:;|$)/i.test(media);

/** What the document says of a parameter belongs to its schema; beside a reference it may stand, too (2020-12). */
function described(schema: Schema, said: unknown): Schema {
  if (typeof said !== 'string' || said.trim() === '') return schema;
  const description = visible(said.trim()).slice(0, 600);
  return typeof schema === 'boolean' ? (schema ? { description } : schema) : { ...schema, description };
}
