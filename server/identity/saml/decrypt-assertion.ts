import { decrypt } from 'xml-encryption';
import { refuse } from './refuse.ts';
import {
  attributeOf,
  attributesOf,
  childNamed,
  childrenNamed,
  everyElement,
  nameOf,
  ns,
  strictBase64,
  textOf,
  type Element,
} from './xml.ts';

const contents: Readonly<Record<string, 'gcm' | 'cbc'>> = {
  [`${ns.xenc11}aes128-gcm`]: 'gcm',
  [`${ns.xenc11}aes256-gcm`]: 'gcm',
  [`${ns.xenc}aes128-cbc`]: 'cbc',
  [`${ns.xenc}aes256-cbc`]: 'cbc',
};
/** RSA-OAEP only. RSA 1.5 (`rsa-1_5`) can be read by asking often enough (Bleichenbacher). */
const transports: readonly string[] = [`${ns.xenc}rsa-oaep-mgf1p`, `${ns.xenc11}rsa-oaep`];
const keyDigests: readonly string[] = [`${ns.ds}sha1`, `${ns.xenc}sha256`, `${ns.xenc}sha512`];
const masks: readonly string[] = ['sha1', 'sha256', 'sha384', 'sha512'].map((h) => `${ns.xenc11}mgf1${h}`);
/** Initialisation vector and tag of GCM in XML Encryption 1.1 §5.2.4; a shorter tag could be guessed (CVE-2026-32313). */
const GCM_OVERHEAD = 12 + 16;
const CBC_OVERHEAD = 2 * 16;

/**
 * Opens an encrypted assertion with one of our keys. `underSignature`: the ciphertext is inside a response whose signature was checked.
 * xml-encryption never sees the sender's document: it gets one that is built here from values of closed lists and strict base64.
 */
export function decryptAssertion(encrypted: Element, keys: readonly string[], underSignature: boolean): string {
  const data = childNamed(encrypted, 'xenc:EncryptedData');
  if (!data) throw new TypeError('an encrypted assertion came past checkShape');
  const method = algorithmOf(data);
  const kind = Object.hasOwn(contents, method) ? contents[method] : undefined;
  if (!kind)
    throw refuse('identity/saml-encryption-algorithm', 'the assertion is encrypted in a way that we do not take', {
      found: method,
      expected: 'AES-GCM; AES-CBC inside a signed response',
    });
  // CBC without a signature around it can be altered and tried until it opens.
  if (kind === 'cbc' && !underSignature)
    throw refuse(
      'identity/saml-encryption-cbc-unsigned',
      'the assertion is encrypted with CBC inside a response that is not signed',
      {
        found: method,
        expected: 'AES-GCM, or a signature on the response',
      },
    );
  const content = cipherOf(data);
  if (
    content.length <= (kind === 'gcm' ? GCM_OVERHEAD : CBC_OVERHEAD - 1) ||
    (kind === 'cbc' && content.length % 16 !== 0)
  )
    throw failed('the ciphertext is too short');
  const wrapped = keyFor(encrypted, data);
  const document = built(method, content, wrapped);
  for (const key of keys) {
    const text = opened(document, key);
    if (text !== undefined) return text;
  }
  throw failed('no key of ours opens it');
}

/** One sentence for every reason, so that nobody learns from it what the plaintext looks like. */
const failed = (because: string) =>
  refuse('identity/saml-decryption-failed', 'the assertion could not be decrypted', {
    expected: 'an assertion encrypted with the certificate in our metadata',
    fix: 'whoever manages sign-in gives the identity provider our current metadata',
    because,
  });

function opened(document: string, key: string): string | undefined {
  let text: string | undefined;
  decrypt(
    document,
    { key, disallowDecryptionWithInsecureAlgorithm: false, warnInsecureAlgorithm: false },
    (e, plain) => {
      // It answers before it returns.
      text = e ? undefined : plain;
    },
  );
  return text;
}

type Wrapped = {
  method: string;
  digest: string | undefined;
  mask: string | undefined;
  label: Buffer | undefined;
  value: Buffer;
};

/** The key is inside the data, or beside it and named by it (saml-core §2.3.4); both are lawful. One key only. */
function keyFor(encrypted: Element, data: Element): Wrapped {
  const info = childNamed(data, 'ds:KeyInfo');
  const inside = info ? [...everyElement(info)].filter((e) => nameOf(e) === 'xenc:EncryptedKey') : [];
  const beside = childrenNamed(encrypted, 'xenc:EncryptedKey');
  const retrieval = info && childNamed(info, 'ds:RetrievalMethod');
  const named = retrieval && attributeOf(retrieval, 'URI');
  const wanted = named === undefined ? beside : beside.filter((k) => `#${attributeOf(k, 'Id')}` === named);
  const [key, ...more] = inside.length > 0 ? inside : wanted;
  if (!key || more.length > 0)
    throw refuse('identity/saml-encryption-structure', 'the encrypted assertion does not have exactly one key', {
      found: `${key ? more.length + 1 : 0}`,
    });
  const e = childNamed(key, 'xenc:EncryptionMethod');
  const method = algorithmOf(key);
  if (!e || !transports.includes(method))
    throw refuse(
      'identity/saml-encryption-key-transport',
      'the key of the assertion is encrypted in a way that we do not take',
      {
        found: method,
        expected: 'RSA-OAEP',
      },
    );
  const digest = closed(childNamed(e, 'ds:DigestMethod'), keyDigests);
  const mask = closed(childNamed(e, 'xenc11:MGF'), masks);
  const params = childNamed(e, 'xenc:OAEPparams');
  const label = params && strictBase64(textOf(params));
  if (params && !label) throw failed('the label is not base64');
  return { method, digest, mask, label, value: cipherOf(key) };
}

function closed(e: Element | undefined, list: readonly string[]): string | undefined {
  const value = e && attributeOf(e, 'Algorithm');
  if (value === undefined || list.includes(value)) return value;
  throw refuse(
    'identity/saml-encryption-key-transport',
    'the key of the assertion is encrypted in a way that we do not take',
    {
      found: value,
      expected: list.join(', '),
    },
  );
}

const algorithmOf = (e: Element): string => {
  const method = childNamed(e, 'xenc:EncryptionMethod');
  return (method && attributesOf(method).find((a) => a.name === 'Algorithm')?.value) ?? '';
};

function cipherOf(e: Element): Buffer {
  const data = childNamed(e, 'xenc:CipherData');
  const value = data && childNamed(data, 'xenc:CipherValue');
  const bytes = value && strictBase64(textOf(value));
  if (!bytes) throw failed('the ciphertext is not base64');
  return bytes;
}

function built(method: string, content: Buffer, k: Wrapped): string {
  const digest = k.digest === undefined ? '' : `<DigestMethod xmlns="${ns.ds}" Algorithm="${k.digest}"/>`;
  const mask = k.mask === undefined ? '' : `<MGF xmlns="${ns.xenc11}" Algorithm="${k.mask}"/>`;
  const label = k.label === undefined ? '' : `<OAEPparams>${k.label.toString('base64')}</OAEPparams>`;
  const cipher = (bytes: Buffer): string =>
    `<CipherData><CipherValue>${bytes.toString('base64')}</CipherValue></CipherData>`;
  return `<EncryptedData xmlns="${ns.xenc}"><EncryptionMethod Algorithm="${method}"/><KeyInfo xmlns="${ns.ds}"><EncryptedKey xmlns="${ns.xenc}"><EncryptionMethod Algorithm="${k.method}">${digest}${mask}${label}</EncryptionMethod>${cipher(k.value)}</EncryptedKey></KeyInfo>${cipher(content)}</EncryptedData>`;
}
