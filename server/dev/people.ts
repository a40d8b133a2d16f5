/**
 * The people of the stories, as their identity provider knows them. The company, its people and its domain are invented.
 * Tests and the demo read names from here, so that a reader meets the same five people everywhere.
 */
export type Person = {
  /** What the identity provider calls them for ever: the `sub` of a token and the `externalId` of SCIM. */
  sub: string;
  email: string;
  given: string;
  family: string;
  department: string;
  /** Names of groups in the identity provider. */
  groups: readonly string[];
};

export const company = { name: 'Northwind Lamps', domain: 'northwind-lamps.example' };

export const groupNames = {
  everyone: 'All staff',
  sales: 'Sales',
  leads: 'Sales leads',
  it: 'IT',
  workshop: 'Workshop',
} as const;

const person = (sub: string, given: string, family: string, department: string, groups: readonly string[]): Person => ({
  sub,
  email: `${given}@${company.domain}`.toLowerCase(),
  given,
  family,
  department,
  groups,
});

export const people = {
  /** Runs IT, and is the owner in Gatehouse. */
  owner: person('00u-wilhelmina', 'Wilhelmina', 'Wattage', 'IT', [groupNames.everyone, groupNames.it]),
  /** Sells lamps; may read the CRM. */
  seller: person('00u-luca', 'Luca', 'Lumen', 'Sales', [groupNames.everyone, groupNames.sales]),
  /** Leads sales; may write to the CRM, too. */
  lead: person('00u-bianca', 'Bianca', 'Beacon', 'Sales', [groupNames.everyone, groupNames.sales, groupNames.leads]),
  /** Leaves the company in the middle of the story. */
  leaver: person('00u-felix', 'Felix', 'Flicker', 'Sales', [groupNames.everyone, groupNames.sales]),
  /** Has an account at the company and no business in Gatehouse: no group of theirs is mapped. */
  unmapped: person('00u-greta', 'Greta', 'Glow', 'Workshop', [groupNames.workshop]),
} as const satisfies Record<string, Person>;

export const everybody: readonly Person[] = Object.values(people);

export const displayName = (p: Person): string => `${p.given} ${p.family}`;
