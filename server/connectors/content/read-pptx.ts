import { broken, tooHard, type ContentText } from './content.ts';
import { partOfType, relationsOf } from './office-package.ts';
import type { TextOut } from './text-out.ts';
import { prefixed, readXml } from './xml.ts';
import type { Zip } from './zip.ts';

const MAX_SLIDES = 2000;

/** A presentation as text: slides in their order, each with its title, its other text, its tables and the speaker's notes. */
export function readPptx(zip: Zip, main: string, out: TextOut, first: number): Partial<ContentText> {
  const relations = relationsOf(zip, main);
  const slides: string[] = [];
  for (const e of readXml(zip.read(main) ?? Buffer.alloc(0))) {
    if (e.kind !== 'open' || e.name !== 'sldId') continue;
    const to = relations.get(prefixed(e.attributes, 'id') ?? '');
    if (to?.type === 'slide') slides.push(to.target);
    if (slides.length > MAX_SLIDES) throw tooHard(`the presentation has more than ${MAX_SLIDES} slides`);
  }
  if (slides.length === 0) throw broken('the presentation has no slides');
  for (const [i, part] of slides.entries()) {
    if (i + 1 < first) continue;
    if (out.full) break;
    const bytes = zip.read(part);
    if (!bytes) throw broken('the presentation refers to a slide that is not in it');
    const slide = shapes(bytes);
    out.add(`## Slide ${i + 1}${slide.title === '' ? '' : `: ${slide.title}`}${slide.hidden ? ' (hidden)' : ''}\n`);
    for (const text of slide.texts) out.add(`${text}\n`);
    const notes = partOfType(relationsOf(zip, part), 'notesSlide');
    const said = notes === undefined ? undefined : zip.read(notes);
    const spoken = said ? shapes(said, 'body').texts.join('\n') : '';
    if (spoken !== '') out.add(`Notes: ${spoken}\n`);
    out.add('\n');
  }
  return {
    slides: slides.length,
    notes: zip.names.some((n) => n.startsWith('ppt/media/')) ? ['pictures and videos are not read'] : [],
  };
}

/** Texts of a slide's shapes, a paragraph a line and a table's row a line. `only`: just placeholders of this type. */
function shapes(bytes: Buffer, only?: string): { title: string; texts: string[]; hidden: boolean } {
  const texts: string[] = [];
  let title = '';
  let hidden = false;
  let placeholder: string | undefined;
  let lines: string[] = [];
  let paragraph = '';
  let row: string[] | undefined;
  let inText = false;
  for (const e of readXml(bytes)) {
    if (e.kind === 'text') {
      if (inText) paragraph += e.text;
      continue;
    }
    const opens = e.kind === 'open';
    switch (e.name) {
      case 'sld':
        if (opens) hidden = /^(?:0|false)$/.test(e.attributes.get('show') ?? '');
        break;
      case 't':
        inText = opens;
        break;
      case 'br':
        if (opens) paragraph += ' ';
        break;
      case 'tab':
        if (opens) paragraph += '\t';
        break;
      case 'ph':
        if (opens) placeholder = e.attributes.get('type') ?? 'body';
        break;
      case 'p':
        if (!opens && paragraph.trim() !== '') lines.push(paragraph.trim());
        paragraph = '';
        break;
      case 'tr':
        if (opens) row = [];
        else if (row) {
          texts.push(row.join(' | '));
          row = undefined;
        }
        break;
      case 'tc':
        if (!opens && row) row.push(lines.splice(0).join(' '));
        break;
      case 'sp':
      case 'graphicFrame':
        if (opens) {
          placeholder = undefined;
          lines = [];
        } else {
          if (placeholder === 'title' || placeholder === 'ctrTitle') title = lines.join(' ');
          // A slide's number and date say nothing about it.
          else if (!/^(?:sldNum|dt|ftr|sldImg)$/.test(placeholder ?? '') && (!only || placeholder === only))
            texts.push(...lines);
          lines = [];
        }
        break;
    }
  }
  return { title, texts, hidden };
}
