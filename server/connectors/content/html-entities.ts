// The named characters that mail and documents use: Latin-1 in its order from U+00A0 on, then the others.
const latin1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml';
const others =
  'quot:" amp:& lt:< gt:> apos:\' OElig:Œ oelig:œ Scaron:Š scaron:š Yuml:Ÿ fnof:ƒ circ:ˆ tilde:˜ ensp:\u2002 emsp:\u2003 thinsp:\u2009 zwnj:\u200c zwj:\u200d lrm:\u200e rlm:\u200f ndash:– mdash:— lsquo:‘ rsquo:’ sbquo:‚ ldquo:“ rdquo:” bdquo:„ dagger:† Dagger:‡ bull:• hellip:… permil:‰ prime:′ Prime:″ lsaquo:‹ rsaquo:› oline:‾ frasl:⁄ euro:€ trade:™ larr:← uarr:↑ rarr:→ darr:↓ harr:↔ rArr:⇒ hArr:⇔ forall:∀ part:∂ exist:∃ empty:∅ isin:∈ sum:∑ minus:− radic:√ infin:∞ and:∧ or:∨ cap:∩ cup:∪ int:∫ asymp:≈ ne:≠ equiv:≡ le:≤ ge:≥ sub:⊂ sup:⊃ alpha:α beta:β gamma:γ delta:δ epsilon:ε lambda:λ mu:μ pi:π sigma:σ omega:ω Delta:Δ Omega:Ω Sigma:Σ check:✓ hearts:♥';

const named = new Map<string, string>([
  ...latin1.split(' ').map((name, i): [string, string] => [name, String.fromCodePoint(0xa0 + i)]),
  ...others.split(' ').map((pair): [string, string] => {
    const colon = pair.indexOf(':');
    return [pair.slice(0, colon), pair.slice(colon + 1)];
  }),
]);
// Split at the blank, these would have been lost; all of them read as a blank anyway.
for (const blank of ['ensp', 'emsp', 'thinsp', 'nbsp']) named.set(blank, ' ');

/** Text of HTML with its character references replaced; what is none stays as it is, as browsers do. */
export const withoutEntities = (text: string): string =>
  text.includes('&')
    ? text.replace(
        /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,30}));?/g,
        (whole, dec?: string, hex?: string, name?: string) => {
          if (name !== undefined) return named.get(name) ?? whole;
          const code = dec ? Number(dec) : Number.parseInt(hex ?? '', 16);
          return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)
            ? String.fromCodePoint(code)
            : '\ufffd';
        },
      )
    : text;
