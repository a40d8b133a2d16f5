import { Problem } from '#kernel/problem.ts';
import { matches, type Filter } from './scim-filter.ts';
import type { PatchOp } from './scim-patch.ts';
import type { Attribute } from './scim-schema.ts';
import { complex, isComplex, sameValue, type Complex, type Value } from './scim-value.ts';

/** Hears of a filter that fits nothing where something was to be removed: success for a lenient directory, refused by a strict one. */
export type Missed = (problem: Problem) => void;

/** The attributes after all operations, in order. The given ones are not touched. */
export function applyPatch(before: Complex, ops: readonly PatchOp[], missed: Missed = () => undefined): Complex {
  let now = complex(before);
  ops.forEach((op, i) => {
    now = within(now, op.at.path, (v, a) => applied(v, a, op, i, missed));
  });
  return now;
}

/** Copies the objects along a path and replaces what is at its end; an object that becomes empty disappears. */
function within(
  from: Complex,
  [a, ...rest]: readonly Attribute[],
  next: (v: Value | undefined, a: Attribute) => Value | undefined,
): Complex {
  const made = complex(from);
  if (!a) return made;
  const old = made[a.name];
  const [inner, ...more] = rest;
  const value = inner ? within(isComplex(old) ? old : complex(), [inner, ...more], next) : next(old, a);
  if (value === undefined || (isComplex(value) && Object.keys(value).length === 0)) delete made[a.name];
  else made[a.name] = value;
  return made;
}

function applied(old: Value | undefined, a: Attribute, op: PatchOp, index: number, missed: Missed): Value | undefined {
  if (!a.multi) {
    if (op.op === 'remove') return undefined;
    // RFC 7644 §3.5.2.3: parts of an object that the value does not name stay.
    return isComplex(op.value) ? complex({ ...(isComplex(old) ? old : {}), ...op.value }) : op.value;
  }
  const list: readonly Value[] = Array.isArray(old) ? (old as readonly Value[]) : [];
  const next = elements(list, a, op, index, missed);
  return next.length > 0 ? next : undefined;
}

function elements(list: readonly Value[], a: Attribute, op: PatchOp, index: number, missed: Missed): readonly Value[] {
  const { where, sub } = op.at;
  const fits = (e: Value): boolean => !where || (isComplex(e) && matches(where, e));
  if (op.op === 'remove') {
    if (where && !list.some(fits))
      missed(
        new Problem('invalid', 'directory/no-target', {
          says: `operation ${index}: no element of ${a.name} fits the filter, so there is nothing to remove`,
          fix: 'read the resource again, or set the directory to "compat", where this is success',
          more: { scimType: 'noTarget', operation: index, path: a.name },
        }),
      );
    if (sub) return list.flatMap((e) => (fits(e) ? without(e, sub) : [e]));
    if (op.only) return list.filter((e) => !op.only?.some((o) => sameElement(e, o)));
    // A filter that fits nothing removes nothing, and that is success: who asks for it has what they want.
    return where ? list.filter((e) => !fits(e)) : [];
  }
  const { value } = op;
  if (!where && !sub) {
    const added = Array.isArray(value) ? (value as readonly Value[]) : value === undefined ? [] : [value];
    return op.op === 'replace' ? onePrimary(added, added) : merge(list, added);
  }
  if (value === undefined) {
    // Entra takes a value away by replacing it with "".
    return sub ? list.flatMap((e) => (fits(e) ? without(e, sub) : [e])) : list.filter((e) => !fits(e));
  }
  const put = (e: Complex): Complex =>
    sub
      ? complex({ ...e, [sub.name]: value })
      : complex({ ...(op.op === 'add' ? e : equalities(where)), ...(isComplex(value) ? value : {}) });
  if (list.some(fits)) {
    const touched: Value[] = [];
    const next = list.map((e) => {
      if (!fits(e) || !isComplex(e)) return e;
      const made = put(e);
      touched.push(made);
      return made;
    });
    return onePrimary(next, touched);
  }
  // Nothing fits yet: the element that is meant is made, with what the filter says of it.
  const made = where ? equalities(where) : complex();
  if (where && (made === undefined || !matches(where, made)))
    throw new Problem('invalid', 'directory/no-target', {
      says: `operation ${index}: no element of ${a.name} fits the filter`,
      fix: 'use a filter of "eq" joined by "and", so that a missing element can be made',
      more: { scimType: 'noTarget', operation: index },
    });
  const element = put(made ?? complex());
  return onePrimary([...list, element], [element]);
}

/** What a filter of equalities says of an element that fits, or undefined for any other filter. */
function equalities(f: Filter | undefined): Complex | undefined {
  if (f?.is === 'compare' && f.op === 'eq' && !(f.value instanceof Date)) return complex({ [f.path[0].name]: f.value });
  if (f?.is !== 'and') return undefined;
  const made = complex();
  for (const each of f.of) {
    const part = equalities(each);
    if (!part) return undefined;
    for (const [k, v] of Object.entries(part)) made[k] = v;
  }
  return made;
}

const without = (e: Value, sub: Attribute): Value[] => {
  if (!isComplex(e)) return [e];
  const made = complex(e);
  delete made[sub.name];
  // A list entry without its value says nothing.
  return Object.keys(made).length === 0 || sub.name === 'value' ? [] : [made];
};

/** Entra removes by a list of `{ "$ref": null, "value": … }`: only `value` tells which element. */
const sameElement = (e: Value, asked: Value): boolean =>
  isComplex(e) && isComplex(asked) && asked['value'] !== undefined
    ? e['value'] === asked['value']
    : sameValue(e, asked);

/** Adds what is not there. An element with the same value and type is the same element, and is completed. */
function merge(list: readonly Value[], added: readonly Value[]): readonly Value[] {
  const next = [...list];
  const touched: Value[] = [];
  for (const each of added) {
    const at = next.findIndex(
      (e) =>
        sameValue(e, each) ||
        (isComplex(e) &&
          isComplex(each) &&
          each['value'] !== undefined &&
          e['value'] === each['value'] &&
          e['type'] === each['type']),
    );
    const old = next[at];
    const made = isComplex(old) && isComplex(each) ? complex({ ...old, ...each }) : each;
    touched.push(made);
    if (at >= 0) next[at] = made;
    else next.push(made);
  }
  return onePrimary(next, touched);
}

/** At most one element is primary; the one that was named last wins (RFC 7644 §3.5.2). */
function onePrimary(list: readonly Value[], touched: readonly Value[]): readonly Value[] {
  const chosen = touched.findLast((e) => isComplex(e) && e['primary'] === true);
  if (chosen === undefined) return list;
  return list.map((e) =>
    e !== chosen && isComplex(e) && e['primary'] === true ? complex({ ...e, primary: false }) : e,
  );
}
