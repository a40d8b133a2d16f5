const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text inside XML that we write. */
export const escapeXml = (s: string): string => s.replace(/[&<>"']/g, (c) => escapes[c] ?? c);
