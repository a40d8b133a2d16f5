import type { ToolClass } from '#policy/schema.ts';
import type { Schema } from './argument-schema.ts';

export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof methods)[number];

/** How one argument becomes a part of the request. */
export type Parameter = {
  /** The argument's name; the service's own may be one that clients do not take. */
  arg: string;
  name: string;
  in: 'path' | 'query' | 'header';
  style: 'simple' | 'form' | 'space' | 'pipe' | 'deepObject' | 'json';
  explode: boolean;
  /** Reserved characters of an address stay as they are, but for those that would end the value. */
  reserved?: true;
};

export type Body = {
  arg: string;
  type: 'json' | 'form' | 'text';
  /** As it is sent. */
  media: string;
  /** Of a form: how lists and objects are written, where the document says so. */
  fields?: Readonly<Record<string, Pick<Parameter, 'style' | 'explode'>>>;
};

/** What a call of an operation sends, as the document says: nothing of it comes from arguments but values in their places. */
export type Plan = { method: HttpMethod; path: string; parameters: readonly Parameter[]; body?: Body };

/** One operation of a service as a tool. Stored as it was imported: what runs is what was reviewed. */
export type Operation = {
  /** `GET /pets/{id}`: what it is, whatever it is called. */
  key: string;
  name: string;
  title: string;
  description: string;
  class: ToolClass;
  plan: Plan;
  inputSchema: Exclude<Schema, boolean>;
};

/** An operation of a document, as an administrator may choose it. */
export type Proposed = {
  key: string;
  method: string;
  path: string;
  /** Where it is in the document. */
  at: string;
  name: string;
  title: string;
  class: ToolClass;
  /** What whoever chooses it must know: what of it is left out. */
  notes: readonly string[];
  /** Names of the document's security schemes: any of these lists, each whole. */
  security: readonly (readonly string[])[];
} & ({ operation: Operation; refused?: undefined } | { operation?: undefined; refused: { at: string; why: string } });

/** What a method says of what it does; an administrator may know better. */
export const classOf = (method: string): ToolClass =>
  method === 'GET' || method === 'HEAD' ? 'read' : method === 'DELETE' ? 'destructive' : 'write';
