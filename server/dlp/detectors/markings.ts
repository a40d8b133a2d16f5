import { detector, type Span } from '../detector.ts';

const phrases = [
  'strictly confidential',
  'company confidential',
  'highly confidential',
  'confidential',
  'internal use only',
  'for internal use',
  'internal only',
  'restricted distribution',
  'top secret',
  'do not distribute',
  'not for distribution',
  'trade secret',
  'proprietary',
  'attorney-client privilege',
  'attorney client privilege',
  'privileged and confidential',
  'tlp:red',
  'tlp:amber',
  'tlp: red',
  'tlp: amber',
  'streng vertraulich',
  'vertraulich',
  'nur fur den internen gebrauch',
  'nur fur den dienstgebrauch',
  'verschlusssache',
  'confidentiel',
  'strictement confidentiel',
  'diffusion restreinte',
  'confidencial',
  'uso interno',
  'riservato',
  'strettamente riservato',
  'uso interno',
  'vertrouwelijk',
  'strikt vertrouwelijk',
  'poufne',
  'scisle poufne',
];
/** A line with more words than this is a sentence about confidentiality, not a marking. */
const MAX_WORDS = 6;
const MAX_LINE = 100;

/** A marking stands alone: on a line of its own, behind a label, in brackets, or all in capitals. */
function markingAt(text: string, from: number, to: number): readonly Span[] {
  const found = text.slice(from, to);
  const left = text.slice(Math.max(0, from - MAX_LINE), from);
  const right = text.slice(to, to + MAX_LINE);
  const line = `${left.slice(left.lastIndexOf('\n') + 1)}${found}${right.split('\n', 1)[0]}`;
  const words = line.match(/[A-Za-z0-9]+/g)?.length ?? 0;
  const alone =
    words <= MAX_WORDS &&
    !/[a-z] (?:is|are|was|and|not|non|very|a|the|of) (?:\w+ )?$/i.test(left) &&
    !/\?|[.!]\s*\w/.test(line);
  const capitals = found === found.toUpperCase() && /[A-Z]{4}/.test(found);
  const labelled =
    /(?:classification|sensitivity|klassifizierung|einstufung|confidentiality|clasificacion|classificazione)["']?\s*[:=]\s*["']?$/i.test(
      left,
    );
  const bracketed = /[[(*]\s*$/.test(left) && /^\s*[\])*]/.test(right);
  return alone || capitals || labelled || bracketed ? [{ start: from, end: to, text: found.toLowerCase() }] : [];
}

export const classificationMarking = detector('classification_marking', {
  says: 'markings such as "strictly confidential"',
  class: 'contextual',
  severity: 'low',
  finds: [{ among: 'keywords', keywords: [...new Set(phrases)], whole: true, find: markingAt }],
  catches: [
    'STRICTLY CONFIDENTIAL',
    'Company Confidential\n\nThe plan for next year is',
    'TLP:RED',
    'Streng vertraulich',
    'This page is INTERNAL USE ONLY and must not leave',
    'Classification: Confidential',
    'A note [confidential] to all of us here today',
  ],
  spares: [
    'we keep what you tell us confidential at all times',
    'the confidentiality of this',
    'is it confidential?',
    'vertrauliche Geburt',
  ],
});

const label = /MSIP_Label_([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/y;

/** Microsoft's sensitivity labels, as they stand in the properties of documents and in the headers of mail. */
export const mipLabel = detector('mip_label', {
  says: 'Microsoft sensitivity labels',
  class: 'prefix',
  severity: 'low',
  finds: [
    {
      among: 'keywords',
      keywords: ['msip_label_'],
      find(text, from) {
        label.lastIndex = from;
        const m = label.exec(text);
        return m ? [{ start: from, end: from + m[0].length, text: (m[1] ?? '').toLowerCase() }] : [];
      },
    },
  ],
  catches: [
    '<property name="MSIP_Label_2096f6a2-d2f7-48be-b329-b73aaa526e5d_Enabled">',
    'msip_labels: MSIP_Label_2096f6a2-d2f7-48be-b329-b73aaa526e5d_SiteId=x;',
  ],
  spares: ['MSIP_Label_', 'MSIP_Label_2096f6a2_Enabled', '2096f6a2-d2f7-48be-b329-b73aaa526e5d'],
});

export const markings = [classificationMarking, mipLabel];
