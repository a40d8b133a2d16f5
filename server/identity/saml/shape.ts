// What a document may consist of. Everything else is refused: a whitelist does not have to know tomorrow's tricks.
import type { SignInRefused } from '../sign-in-refusal.ts';
import { refuse, type SamlCode } from './refuse.ts';
import { rules, sequences, type Rule } from './shape-rules.ts';
import { attributeOf, attributesOf, childrenOf, everyElement, isDeclaration, nameOf, ns, type Element } from './xml.ts';

/** INVARIANT (whitelist): after this, the document has nothing but what the rules name, in their order, below one `root`. */
export function checkShape(root: Element, wanted: string): void {
  if (nameOf(root) !== wanted) throw outOfShape(undefined, root, `<${nameOf(root)}>`, `<${wanted}>`);
  refuseWrapping(root);
  check(root, wanted);
}

/** Signatures and assertions where none belongs: what wrapping attacks are made of, so each has its own code. */
function refuseWrapping(root: Element): void {
  for (const e of everyElement(root)) {
    const of = e.namespaceURI === ns.ds || e.namespaceURI === ns.saml ? nameOf(e) : '';
    const above = e.parentElement;
    switch (of) {
      case 'ds:Signature':
        if (above !== root && !(above?.parentElement === root && nameOf(above) === 'saml:Assertion'))
          throw refuse('identity/saml-signature-misplaced', 'there is a signature where none belongs', {
            found: `in <${above ? nameOf(above) : '?'}>`,
            expected: 'directly in the response or in its assertion',
          });
        if (count(e, 'ds:SignedInfo') !== 1)
          throw refuse('identity/saml-signature-signedinfo-count', 'a signature does not have exactly one SignedInfo', {
            found: `${count(e, 'ds:SignedInfo')}`,
          });
        break;
      case 'ds:Object':
        throw refuse('identity/saml-signature-object', 'a signature brings along an object of its own');
      case 'ds:SignedInfo':
        if (count(e, 'ds:Reference') !== 1)
          throw refuse('identity/saml-signature-reference-count', 'a signature does not have exactly one reference', {
            found: `${count(e, 'ds:Reference')}`,
          });
        break;
      case 'saml:Assertion':
      case 'saml:EncryptedAssertion':
        if (e !== root && above !== root)
          throw refuse('identity/saml-assertion-nested', 'there is an assertion inside something else', {
            found: `in <${above ? nameOf(above) : '?'}>`,
          });
        break;
      case 'saml:EncryptedID':
        throw refuse(
          'identity/saml-encrypted-id',
          'the name of the person is encrypted by itself, which we do not take',
          {
            fix: 'let the identity provider encrypt the whole assertion, or nothing',
          },
        );
      case 'saml:EncryptedAttribute':
        throw refuse('identity/saml-encrypted-attribute', 'an attribute is encrypted by itself, which we do not take', {
          fix: 'let the identity provider encrypt the whole assertion, or nothing',
        });
      default:
    }
  }
  if (nameOf(root) !== 'samlp:Response') return;
  const n = count(root, 'saml:Assertion') + count(root, 'saml:EncryptedAssertion');
  if (n > 1)
    throw refuse('identity/saml-assertion-count', 'the response has more than one assertion', {
      found: `${n}`,
      expected: '1',
    });
}

/** The same for a signature in a document of another kind (metadata): only what it consists of, not where it stands. */
export function checkSignatureShape(signature: Element): void {
  for (const e of everyElement(signature))
    if (nameOf(e) === 'ds:Object' || (e !== signature && nameOf(e) === 'ds:Signature'))
      throw refuse('identity/saml-signature-object', 'a signature brings along an object of its own');
  check(signature, 'ds:Signature');
}

const count = (e: Element, of: string): number => childrenOf(e).filter((c) => nameOf(c) === of).length;

function check(e: Element, of: string): void {
  const rule = rules[of];
  if (!rule) throw outOfShape(undefined, e, `<${of}>`, 'an element of SAML');
  checkAttributes(e, rule);
  const children = childrenOf(e);
  if (rule.opaque) return checkOpaque(e);
  if (!rule.text && hasText(e)) throw outOfShape(undefined, e, 'text', 'elements only');
  let at = 0;
  for (const { names, min, max } of sequences.get(of) ?? []) {
    let n = 0;
    for (let child = children[at]; child && n < max; child = children[at]) {
      const name = nameOf(child);
      if (!names.includes(name)) break;
      check(child, name);
      at++;
      n++;
    }
    if (n < min)
      throw outOfShape(
        rule.unknown,
        e,
        children[at] ? `<${nameOf(children[at] ?? e)}>` : 'nothing more',
        `<${names.join('> or <')}>`,
      );
  }
  const extra = children[at];
  if (extra) throw outOfShape(rule.unknown, e, `<${nameOf(extra)}>`, 'nothing more');
}

function checkAttributes(e: Element, rule: Rule): void {
  for (const a of attributesOf(e)) {
    if (isDeclaration(a)) continue;
    if (a.namespaceURI !== null) {
      if (!rule.foreign && !rule.opaque)
        throw outOfShape(undefined, e, `the attribute ${a.name}`, 'no foreign attributes');
    } else if (!rule.must?.includes(a.name) && !rule.may?.includes(a.name))
      throw outOfShape(
        undefined,
        e,
        `the attribute ${a.name}`,
        [...(rule.must ?? []), ...(rule.may ?? [])].join(', ') || 'no attributes',
      );
  }
  for (const must of rule.must ?? [])
    if (attributeOf(e, must) === undefined) throw outOfShape(undefined, e, `no ${must}`, must);
}

/** KeyInfo of a signature may have keys, Extensions what vendors put there; none of them protocol or claims. */
function checkOpaque(e: Element): void {
  for (const inside of everyElement(e))
    if (inside !== e && (inside.namespaceURI === ns.saml || inside.namespaceURI === ns.samlp))
      throw outOfShape(undefined, e, `<${nameOf(inside)}>`, 'nothing of SAML');
}

function hasText(e: Element): boolean {
  for (let c = e.firstChild; c; c = c.nextSibling)
    if (c.nodeType === 3 && /[^\t\n\r ]/.test(c.nodeValue ?? '')) return true;
  return false;
}

function outOfShape(code: SamlCode | undefined, at: Element, found: string, expected: string): SignInRefused {
  const path: string[] = [];
  for (let e: Element | null = at; e && path.length < 12; e = e.parentElement) path.unshift(nameOf(e));
  const part = path.some((p) => p === 'ds:Signature')
    ? 'identity/saml-signature-structure'
    : path.some((p) => p.startsWith('xenc:') || p === 'saml:EncryptedAssertion')
      ? 'identity/saml-encryption-structure'
      : path.some((p) => p === 'saml:Assertion')
        ? 'identity/saml-assertion-structure'
        : 'identity/saml-response-structure';
  return refuse(code ?? part, 'the identity provider’s message is not built as SAML says', {
    found: `${found} at ${path.join('/')}`,
    expected,
  });
}
