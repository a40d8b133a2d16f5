// The search language of Drive (developers.google.com/workspace/drive/api/guides/ref-search-terms): terms joined by `and` and `or`, values in
// single quotes in which \' and \\ are escapes. What is not of that form is an invalid value, as it is there.
import type { DriveWorld, StoredFile } from './google-drive-world.ts';

type Test = (f: StoredFile, world: DriveWorld, email: string) => boolean;

/** Undefined: Drive would refuse it. */
export function parseDriveQuery(q: string): { test: Test; fullText: boolean } | undefined {
  let at = 0;
  let fullText = false;
  const blank = (): void => {
    while (q[at] === ' ') at++;
  };
  const word = (): string => {
    blank();
    const w = /^(?:[A-Za-z]+|!=|>=|<=|[=<>])/.exec(q.slice(at))?.[0] ?? '';
    at += w.length;
    return w;
  };
  const text = (): string | undefined => {
    blank();
    if (q[at] !== "'") return undefined;
    let s = '';
    for (at++; at < q.length && q[at] !== "'"; at++) {
      if (q[at] === '\\') {
        at++;
        if (q[at] !== "'" && q[at] !== '\\') return undefined;
      }
      s += q[at];
    }
    return q[at++] === "'" ? s : undefined;
  };
  const term = (): Test | undefined => {
    blank();
    if (q[at] === "'") {
      const value = text();
      if (word() !== 'in') return undefined;
      const where = word();
      if (where === 'parents') return (f) => f.parents.includes(value ?? '');
      if (where === 'owners') return (f, _, email) => f.owner === (value === 'me' ? email : value);
      return undefined;
    }
    const name = word();
    const operator = word();
    if (name === 'trashed') {
      const value = word();
      return operator === '=' && (value === 'true' || value === 'false')
        ? (f) => f.trashed === (value === 'true')
        : undefined;
    }
    const value = text();
    if (value === undefined) return undefined;
    const has = (s: string): boolean => s.toLowerCase().includes(value.toLowerCase());
    switch (`${name} ${operator}`) {
      case 'fullText contains':
        fullText = true;
        return (f, w) => has(f.name) || has(w.text(f));
      case 'name contains':
        return (f) =>
          f.name
            .toLowerCase()
            .split(/\s+/)
            .some((w, i, all) => all.slice(i).join(' ').startsWith(value.toLowerCase()) && w !== '');
      case 'mimeType =':
        return (f) => f.mimeType === value;
      case 'modifiedTime >':
        return (f) => Date.parse(f.modified) > Date.parse(value);
      case 'modifiedTime <':
        return (f) => Date.parse(f.modified) < Date.parse(value);
      default:
        return undefined;
    }
  };
  let all = term();
  while (all) {
    blank();
    if (at >= q.length) return { test: all, fullText };
    const joint = word();
    const left: Test = all;
    const right = term();
    if (!right || (joint !== 'and' && joint !== 'or')) return undefined;
    all = joint === 'and' ? (f, w, e) => left(f, w, e) && right(f, w, e) : (f, w, e) => left(f, w, e) || right(f, w, e);
  }
  return undefined;
}
