/** A display name as SCIM wants it: the first word is the given name, the rest the family name; one word leaves the family name empty. */
export function splitName(displayName: string): { givenName: string; familyName: string } {
  const [givenName = '', ...rest] = displayName.trim().split(/\s+/u);
  return { givenName, familyName: rest.join(' ') };
}
