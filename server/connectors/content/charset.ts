/** Bytes as text, and with which charset that was; `guessed` where nothing said it. Undefined: it is no text. */
export type Decoded = { text: string; charset: string; guessed: boolean };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A byte order mark says it, else the declared charset, else it is UTF-8 if it can be, else Windows-1252, which is what most programs wrote before.
 * Text has no NUL and hardly a control character; anything else is taken for a file of another kind.
 */
export function decodeText(bytes: Uint8Array, declared: string | undefined): Decoded | undefined {
  const mark = markOf(bytes);
  if (mark) return text(new TextDecoder(mark).decode(bytes), mark, false);
  if (bytes.includes(0) && !/^utf-?16/i.test(declared ?? '')) return undefined;
  const named = declared && decoderOf(declared);
  if (named && named.encoding !== 'utf-8') return text(named.decode(bytes), named.encoding, false);
  try {
    return text(utf8.decode(bytes), 'utf-8', false);
  } catch {
    return text(new TextDecoder('windows-1252').decode(bytes), 'windows-1252', true);
  }
}

function markOf(b: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | undefined {
  if (b[0] === 0xef && b[1] === 0xbb && b[2] === 0xbf) return 'utf-8';
  if (b[0] === 0xff && b[1] === 0xfe) return 'utf-16le';
  if (b[0] === 0xfe && b[1] === 0xff) return 'utf-16be';
  return undefined;
}

/** The decoder of a charset's label; undefined: nobody knows it. */
export function decoderOf(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label.trim());
  } catch {
    return undefined;
  }
}

const LOOKED_AT = 64 * 1024;

function text(decoded: string, charset: string, guessed: boolean): Decoded | undefined {
  const head = decoded.slice(0, LOOKED_AT);
  // Tab, line feeds, form feed and escape are in honest text; the others are how binary files look.
  // oxlint-disable-next-line no-control-regex -- they are what is counted
  const strange = head.match(/[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f\ufffd]/g)?.length ?? 0;
  if (strange > 8 && strange > head.length / 100) return undefined;
  return { text: decoded, charset, guessed };
}
