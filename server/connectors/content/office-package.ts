import { readXml } from './xml.ts';
import type { Zip } from './zip.ts';

/** One part of an office document and what it refers to, by id (ECMA-376 part 2). */
export type Relation = { type: string; target: string };

/**
 * What a part refers to inside the file. INVARIANT (nothing from elsewhere): a relationship whose target is external is not in the map, so nobody
 * can come to fetch it.
 */
export function relationsOf(zip: Zip, part: string): Map<string, Relation> {
  const slash = part.lastIndexOf('/') + 1;
  const bytes = zip.read(`${part.slice(0, slash)}_rels/${part.slice(slash)}.rels`);
  const found = new Map<string, Relation>();
  if (!bytes) return found;
  for (const e of readXml(bytes)) {
    if (e.kind !== 'open' || e.name !== 'Relationship' || e.attributes.get('TargetMode') === 'External') continue;
    const target = within(part.slice(0, slash), e.attributes.get('Target') ?? '');
    const id = e.attributes.get('Id');
    if (id && target) found.set(id, { type: lastWord(e.attributes.get('Type') ?? ''), target });
  }
  return found;
}

/** The part that the file is about, e.g. `xl/workbook.xml`. */
export function mainPart(zip: Zip): string | undefined {
  return [...relationsOf(zip, '').values()].find((r) => r.type === 'officeDocument')?.target;
}

export const partOfType = (relations: ReadonlyMap<string, Relation>, type: string): string | undefined =>
  [...relations.values()].find((r) => r.type === type)?.target;

const lastWord = (type: string): string => type.slice(type.lastIndexOf('/') + 1);

/** A target's name in the zip; undefined where it leads out of it. */
function within(folder: string, target: string): string | undefined {
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:|\\/.test(target)) return undefined;
  const parts: string[] = [];
  for (const p of (target.startsWith('/') ? target : folder + target).split('/')) {
    if (p === '..') {
      if (parts.pop() === undefined) return undefined;
    } else if (p !== '' && p !== '.') parts.push(p);
  }
  return parts.join('/');
}
