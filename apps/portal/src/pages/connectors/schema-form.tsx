import { Checkbox, PasswordInput, Select, Textarea, TextInput } from '@mantine/core';

type Field = {
  name: string;
  kind: 'text' | 'secret' | 'long' | 'flag' | 'number' | 'list' | 'choice' | 'json';
  choices: readonly string[];
  says: string | undefined;
  needed: boolean;
};
export type Values = Record<string, unknown>;

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const texts = (v: unknown): string[] => (Array.isArray(v) ? v.filter((x) => typeof x === 'string') : []);
const secret = /secret|password|token|private_?key|api_?key|credential/i;
/** Names of fields that hold a whole file. */
const long = /json|private_?key|certificate|pem/i;

/** What a JSON Schema of an object asks a person for. What it cannot ask by a field of its own is asked as JSON. */
export function fieldsOf(schema: Record<string, unknown>): Field[] {
  const needed = new Set(texts(schema['required']));
  return Object.entries(isRecord(schema['properties']) ? schema['properties'] : {}).map(([name, of]) => {
    const s = isRecord(of) ? of : {};
    const choices = texts(s['enum']);
    const says = typeof s['description'] === 'string' ? s['description'] : undefined;
    const items = isRecord(s['items']) ? s['items'] : {};
    const kind =
      choices.length > 0
        ? 'choice'
        : s['type'] === 'boolean'
          ? 'flag'
          : s['type'] === 'integer' || s['type'] === 'number'
            ? 'number'
            : s['type'] === 'array' && items['type'] === 'string'
              ? 'list'
              : s['type'] === 'string'
                ? long.test(name)
                  ? 'long'
                  : secret.test(name)
                    ? 'secret'
                    : 'text'
                : 'json';
    return { name, kind, choices, says, needed: needed.has(name) && s['default'] === undefined };
  });
}

const label = (name: string): string => {
  const words = name
    .replaceAll('_', ' ')
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
};
const shown = (v: unknown): string =>
  v === undefined ? '' : typeof v === 'string' ? v : Array.isArray(v) ? texts(v).join('\n') : JSON.stringify(v);

/** A form for what a schema asks. `values` has only what was said. */
export function SchemaForm({
  schema,
  values,
  onChange,
}: {
  schema: Record<string, unknown>;
  values: Values;
  onChange: (values: Values) => void;
}) {
  const set = (name: string, value: unknown): void => {
    const { [name]: _, ...rest } = values;
    onChange(value === undefined || value === '' ? rest : { ...rest, [name]: value });
  };
  return (
    <>
      {fieldsOf(schema).map((f) => {
        const common = { label: label(f.name), description: f.says, required: f.needed, withAsterisk: false };
        const value = shown(values[f.name]);
        switch (f.kind) {
          case 'flag':
            return (
              <Checkbox
                key={f.name}
                label={common.label}
                description={f.says}
                checked={values[f.name] === true}
                onChange={(e) => set(f.name, e.currentTarget.checked ? true : undefined)}
              />
            );
          case 'choice':
            return (
              <Select
                key={f.name}
                {...common}
                data={[...f.choices]}
                value={value === '' ? null : value}
                onChange={(to) => set(f.name, to ?? undefined)}
              />
            );
          case 'list':
            return (
              <Textarea
                key={f.name}
                {...common}
                description={`${f.says ?? ''} One on each line.`.trim()}
                rows={3}
                value={value}
                onChange={(e) => {
                  const lines = e.currentTarget.value.split('\n');
                  set(f.name, e.currentTarget.value === '' ? undefined : lines);
                }}
              />
            );
          case 'long':
          case 'json':
            return (
              <Textarea
                key={f.name}
                {...common}
                rows={4}
                value={value}
                onChange={(e) => set(f.name, f.kind === 'json' ? parsed(e.currentTarget.value) : e.currentTarget.value)}
              />
            );
          case 'secret':
            return (
              <PasswordInput
                key={f.name}
                {...common}
                autoComplete="off"
                value={value}
                onChange={(e) => set(f.name, e.currentTarget.value)}
              />
            );
          case 'number':
            return (
              <TextInput
                key={f.name}
                {...common}
                inputMode="numeric"
                value={value}
                onChange={(e) => set(f.name, numeric(e.currentTarget.value))}
              />
            );
          case 'text':
            return (
              <TextInput key={f.name} {...common} value={value} onChange={(e) => set(f.name, e.currentTarget.value)} />
            );
        }
      })}
    </>
  );
}

/** Until it is JSON, it stays the text that it is; the server says what is wrong with it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
const numeric = (text: string): unknown => (text !== '' && Number.isFinite(Number(text)) ? Number(text) : text);

/** Empty lines at the end of a list are of the typing, not of the answer. */
export const tidy = (values: Values): Values =>
  Object.fromEntries(
    Object.entries(values).map(([k, v]) => [
      k,
      Array.isArray(v)
        ? texts(v)
            .map((x) => x.trim())
            .filter(Boolean)
        : v,
    ]),
  );
