import { readXml } from './xml.ts';
import type { Zip } from './zip.ts';

/** One part of an office document and what it refers to, by id (ECMA-376 part 2). */
export type Relation = { type: string; target: string };

/**
 * What a part refers to inside the file. INVARIANT (nothing from elsewhere): a relationship whose target is external is not in the map, so nobody
 * can come to fetch it.
 */
export function relationsOf(zip: Zip, part: string): Map<string, Relation> {
  const found = new Map<string, Relation>();
  for (const r of relationships(zip, part)) {
    const target = r.external ? undefined : within(folderOf(part), r.target);
    if (target) found.set(r.id, { type: r.type, target });
  }
  return found;
}

/** Everything that a part refers to, inside and outside, as it is written: to be shown, never to be opened. */
export function relationships(
  zip: Zip,
  part: string,
): { id: string; type: string; target: string; external: boolean }[] {
  const folder = folderOf(part);
  const bytes = zip.read(`${folder}_rels/${part.slice(folder.length)}.rels`);
  const found: ReturnType<typeof relationships> = [];
  if (bytes)
    for (const e of readXml(bytes))
      if (e.kind === 'open' && e.name === 'Relationship')
        found.push({
          id: e.attributes.get('Id') ?? '',
          type: lastWord(e.attributes.get('Type') ?? ''),
          target: e.attributes.get('Target') ?? '',
          external: e.attributes.get('TargetMode') === 'External',
        });
  return found;
}

const folderOf = (part: string): string => part.slice(0, part.lastIndexOf('/') + 1);

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
