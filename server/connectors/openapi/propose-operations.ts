import { escapeSegment } from '#kernel/json-pointer.ts';
import { visible } from '#kernel/visible.ts';
import { costOf } from '../json-schema.ts';
import { definitionOf } from '../kit/tool-definition.ts';
import { isRecord, MAX_DEFINITION_BYTES, seen } from '../tool.ts';
import { followed, schemaMaker, type Schema } from './argument-schema.ts';
import {
  classOf,
  methods,
  type Body,
  type HttpMethod,
  type Operation,
  type Parameter,
  type Plan,
  type Proposed,
} from './operation.ts';
import { operationTool } from './operation-tool.ts';
import { parameterOf, type Candidate } from './read-parameter.ts';
import { bodyOf } from './read-body.ts';
import type { OpenApiDocument } from './read-document.ts';
import { badDocument, shownPlace, Unfit } from './refusal.ts';
import { apiKeyNames } from './security.ts';
import { argumentNames, toolNames } from './tool-names.ts';

/** Operations of one document; what has more is several services. */
const MAX_OPERATIONS = 2000;
const MAX_DESCRIPTION = 4000;
const verbs = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;
/** What a definition has beside its schema. */
const MAX_SCHEMA_BYTES = MAX_DEFINITION_BYTES - 12 * 1024;

/** What an import before said: names by key, which stay; and where its credential goes, where no argument may. */
export type Before = { names?: ReadonlyMap<string, string>; credentialAt?: string | undefined };

/** Every operation of a document, in its order: as the tool that it can become, or with the reason why it cannot. */
export function proposeOperations(
  doc: OpenApiDocument,
  { names: known = new Map(), credentialAt }: Before = {},
): Proposed[] {
  const { root } = doc;
  const paths = root['paths'];
  if (paths !== undefined && !isRecord(paths)) throw badDocument('#/paths', 'paths are an object');
  const nameOf = toolNames(known.values());
  const keys = new Set([...apiKeyNames(root), ...(credentialAt === undefined ? [] : [credentialAt])]);
  const out: Proposed[] = [];
  for (const [path, stated] of Object.entries(paths ?? {})) {
    if (path.startsWith('x-')) continue;
    const stands = `#/paths/${escapeSegment(path)}`;
    const item = reached(() => followed(root, stated, stands));
    if ('unfit' in item || !isRecord(item.value)) {
      const why = 'unfit' in item ? item.unfit.message : 'this is not an object';
      throw badDocument('unfit' in item ? item.unfit.at : stands, why);
    }
    for (const verb of verbs) {
      const operation = Object.hasOwn(item.value, verb) ? item.value[verb] : undefined;
      if (operation === undefined) continue;
      if (out.length >= MAX_OPERATIONS)
        throw badDocument(
          '#/paths',
          `the document has more than ${MAX_OPERATIONS} operations`,
          'split it by its paths',
        );
      const at = `${item.at}/${verb}`;
      if (!isRecord(operation)) throw badDocument(at, 'an operation is an object');
      const key = `${verb.toUpperCase()} ${path}`;
      const name = known.get(key) ?? nameOf(operation['operationId'], verb, path);
      out.push(
        proposed({
          doc,
          item: item.value,
          itemAt: item.at,
          operation,
          at,
          path,
          method: verb.toUpperCase(),
          key,
          name,
          keys,
        }),
      );
    }
  }
  return out;
}

type Stated = {
  doc: OpenApiDocument;
  item: Readonly<Record<string, unknown>>;
  itemAt: string;
  operation: Readonly<Record<string, unknown>>;
  at: string;
  path: string;
  method: string;
  key: string;
  name: string;
  /** Where credentials go, by `in:name` in lower case. */
  keys: ReadonlySet<string>;
};

function proposed(s: Stated): Proposed {
  const notes: string[] = [];
  const { operation, at, key, name, path, method } = s;
  const head = {
    key: visible(key).slice(0, 500),
    method,
    path: visible(path).slice(0, 400),
    at: shownPlace(at),
    name,
    title: wordsIn(operation['summary'], 200) || name,
    class: classOf(method),
    notes,
    security: securityOf(operation['security'] ?? s.doc.root['security']),
  };
  try {
    const verb = methods.find((m) => m === method);
    if (!verb) throw new Unfit(at, `${method} asks about the service and is not imported`);
    if (operation['deprecated'] === true) notes.push('the service says that it is deprecated');
    if (isRecord(operation['callbacks'])) notes.push('its callbacks are not received');
    if (operation['servers'] !== undefined || s.item['servers'] !== undefined)
      notes.push('it names a server of its own, which is not used: all calls go to the one that is chosen');
    const made = smallest(s, verb, head.title, notes);
    const pinned = seen(definitionOf(operationTool(made, '')));
    if ('refused' in pinned) throw new Unfit(at, pinned.refused);
    return { ...head, operation: made };
  } catch (e) {
    if (!(e instanceof Unfit)) throw e;
    return { ...head, refused: { at: shownPlace(e.at), why: e.message } };
  }
}

/** With the descriptions of its arguments, or without where it would be too large for a review. */
function smallest(s: Stated, verb: HttpMethod, title: string, notes: string[]): Operation {
  for (const words of [true, false]) {
    const noted: string[] = [];
    const made = operationOf(s, verb, title, words, noted);
    if (Buffer.byteLength(JSON.stringify(made.inputSchema)) > MAX_SCHEMA_BYTES) continue;
    notes.push(
      ...noted,
      ...(words ? [] : ['its arguments have no descriptions: with them it is too large for a review']),
    );
    return made;
  }
  throw new Unfit(s.at, `its arguments are larger than ${MAX_SCHEMA_BYTES} bytes, which nobody could review`);
}

function operationOf(s: Stated, verb: HttpMethod, title: string, words: boolean, notes: string[]): Operation {
  const { doc, operation, at, path } = s;
  const maker = schemaMaker(doc, words);
  const argOf = argumentNames();
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  const parameters: Parameter[] = [];
  const stated = [...parametersOf(s.doc, s.item, s.itemAt), ...parametersOf(s.doc, operation, at)];
  // What the operation says of a parameter stands in place of what its path says.
  const last = new Map(stated.map((c) => [`${c.in}:${c.name}`, c]));
  for (const c of last.values()) {
    const p = parameterOf(c, doc, maker, s.keys, notes);
    if (!p) continue;
    const arg = argOf(p.name, p.in);
    parameters.push({ ...p.parameter, arg });
    properties[arg] = p.schema;
    if (p.required) required.push(arg);
  }
  const pieces = checkedPath(path, at);
  for (const piece of pieces)
    if (!parameters.some((p) => p.in === 'path' && p.name === piece))
      throw new Unfit(
        at,
        `the path has {${visible(piece).slice(0, 60)}}, and no parameter of this name is in the path`,
      );
  // A parameter that the path does not have goes nowhere.
  const used = parameters.filter((p) => p.in !== 'path' || pieces.includes(p.name));
  for (const p of parameters)
    if (!used.includes(p)) {
      delete properties[p.arg];
      required.splice(required.indexOf(p.arg), 1);
    }
  let body: Body | undefined;
  if (operation['requestBody'] !== undefined) {
    const b = bodyOf(operation['requestBody'], `${at}/requestBody`, verb, doc, maker);
    const arg = argOf('body', 'sent');
    body = { ...b.body, arg };
    properties[arg] = b.schema;
    if (b.required) required.push(arg);
  }
  const defs = maker.defs();
  const inputSchema = {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...(Object.keys(defs).length > 0 ? { $defs: defs } : {}),
  };
  if (costOf(inputSchema).endless)
    throw new Unfit(at, 'a $ref of its arguments leads back to itself, so nothing would ever fit');
  const plan: Plan = { method: verb, path, parameters: used, ...(body ? { body } : {}) };
  const says = [wordsIn(operation['summary'], 300), wordsIn(operation['description'], MAX_DESCRIPTION - 800)].filter(
    (w) => w !== '',
  );
  return {
    key: s.key,
    name: s.name,
    title,
    description: [...new Set([...says, `Calls ${verb} ${visible(path).slice(0, 300)}.`])].join('\n\n'),
    class: classOf(verb),
    plan,
    inputSchema,
  };
}

function parametersOf(doc: OpenApiDocument, of: Readonly<Record<string, unknown>>, at: string): Candidate[] {
  const list = of['parameters'];
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw new Unfit(`${at}/parameters`, 'parameters are a list');
  return list.map((stated: unknown, i) => {
    const p = followed(doc.root, stated, `${at}/parameters/${i}`);
    const name = isRecord(p.value) ? p.value['name'] : undefined;
    const where = isRecord(p.value) ? p.value['in'] : undefined;
    if (!isRecord(p.value) || typeof name !== 'string' || name === '' || typeof where !== 'string')
      throw new Unfit(p.at, 'a parameter has a name and says where it is');
    return { name, in: where, stated: p.value, at: p.at };
  });
}

/**
 * The names in the braces of a path. INVARIANT (a path stays one): what stands between them is sent as it is written, so it must be what an address
 * has there already: nothing that walks, begins a query or is another host.
 */
function checkedPath(path: string, at: string): string[] {
  const names = [...path.matchAll(/\{([^{}]*)\}/g)].map((m) => m[1] ?? '');
  const literal = path.replace(/\{[^{}]*\}/g, 'x');
  const url = URL.parse(`http://host.invalid${literal}`);
  if (
    !path.startsWith('/') ||
    path.startsWith('//') ||
    /[{}?#\\\s]/.test(literal) ||
    url?.pathname !== literal ||
    url.host !== 'host.invalid'
  )
    throw new Unfit(at, 'its path is none that can be sent as it is written');
  return names;
}

function reached<T>(find: () => T): T | { unfit: Unfit } {
  try {
    return find();
  } catch (e) {
    if (e instanceof Unfit) return { unfit: e };
    throw e;
  }
}

const wordsIn = (said: unknown, max: number): string =>
  typeof said === 'string' ? visible(said.trim()).slice(0, max) : '';

const securityOf = (said: unknown): string[][] =>
  Array.isArray(said) ? said.filter(isRecord).map((one) => Object.keys(one).slice(0, 10)) : [];
