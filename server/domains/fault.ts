/** Why a domain is not proved. Fifteen, each with its own repair; `code` is for ever. */
export const faultCodes = [
  'nxdomain',
  'no_txt',
  'txt_present_no_token',
  'token_other_parent',
  'token_old',
  'servfail',
  'timeout',
  'refused',
  'dnssec_bogus',
  'cname_target_no_txt',
  'record_on_wrong_name',
  'quoted_value',
  'truncated',
  'split_horizon',
  'propagating',
] as const;
export type FaultCode = (typeof faultCodes)[number];

/** What one check found instead of the record. */
export type Finding = {
  code: FaultCode;
  /** The name that was asked for. */
  record: string;
  /** Which servers said so. */
  where: string;
  expected: string;
  found: string;
  /** Seconds for which others may remember what was found. */
  ttl: number | null;
};

/** A finding with its history, as it is kept and shown. */
export type Fault = Finding & {
  /** When it was first found so. */
  since: Date;
  /** When it was last found so. */
  at: Date;
  lastSuccess: Date | null;
};

/** Faults of the network between here and there, which pass by themselves: one of them proves nothing about the record. */
export const passes = (code: FaultCode): boolean =>
  code === 'servfail' || code === 'timeout' || code === 'refused' || code === 'truncated' || code === 'propagating';

const minute = (d: Date): string => `${d.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const what: Record<FaultCode, (f: Finding, domain: string) => string> = {
  nxdomain: (_, domain) => `${domain} does not exist in DNS`,
  no_txt: (f) => `no TXT record at ${f.record}`,
  txt_present_no_token: (f) => `the TXT records at ${f.record} are about other things`,
  token_other_parent: (f) => `the record at ${f.record} is another organization's`,
  token_old: (f) => `the record at ${f.record} has an old token`,
  servfail: (f) => `the name servers fail when asked for ${f.record}`,
  timeout: (f) => `no name server answered for ${f.record}`,
  refused: (f) => `the name servers refuse to answer for ${f.record}`,
  dnssec_bogus: (f) => `the signatures (DNSSEC) over ${f.record} are broken`,
  cname_target_no_txt: (f) => `${f.record} is an alias, and there is no TXT record where it leads`,
  record_on_wrong_name: (f) => `no TXT record at ${f.record}, but one with the right value at another name`,
  quoted_value: (f) => `the record at ${f.record} has quotation marks inside its value`,
  truncated: (f) => `the answer for ${f.record} was cut off`,
  split_horizon: (f) => `some see the record at ${f.record}, but the domain's own name servers do not have it`,
  propagating: (f) => `the record at ${f.record} is there, but not everybody sees it yet`,
};

const repair: Record<FaultCode, (f: Finding, domain: string) => string> = {
  nxdomain: (_, domain) => `check the spelling of ${domain}, and with its registrar whether it has expired`,
  no_txt: (f) => `add a TXT record at ${f.record} with the value ${f.expected}`,
  txt_present_no_token: (f) =>
    `add one more TXT record at ${f.record} with the value ${f.expected}; the others may stay`,
  token_other_parent: (f) =>
    `add one more TXT record at ${f.record} with the value ${f.expected}; the other organization's may stay if you know it`,
  token_old: (f) => `replace the value with ${f.expected}: the domain was removed and added again since`,
  servfail: () => 'ask whoever runs the name servers; the next check comes by itself',
  timeout: () =>
    'check that the name servers run and that this server may send to port 53, UDP and TCP; the next check comes by itself',
  refused: (_, domain) =>
    `compare the name servers at the registrar of ${domain} with those that really serve the zone`,
  dnssec_bogus: () =>
    'renew the signatures, or compare the DS record at the registrar with the zone keys; validating resolvers see nothing until then',
  cname_target_no_txt: (f) =>
    `add a TXT record with the value ${f.expected} where the alias leads, or replace the alias by the record`,
  record_on_wrong_name: (f) =>
    `move it to ${f.record}; many panels add the domain by themselves, so type only the part in front of it`,
  quoted_value: (f) => `remove the quotation marks; the value is exactly ${f.expected}`,
  truncated: () => 'let the name servers answer over TCP (port 53), or remove TXT records that nobody needs',
  split_horizon: () => 'add the record in the public zone too: the name servers that the registrar names',
  propagating: (f) =>
    f.ttl ? `wait up to ${f.ttl} s; the next check comes by itself` : 'wait; the next check comes by itself',
};

/** The sentence about a fault: which domain, which record, what was found where and when, since when, what still works. */
export function faultSays(f: Fault, domain: string, effect: string): string {
  const last = f.lastSuccess
    ? `last seen ${minute(f.lastSuccess)}, missing since ${minute(f.since)}`
    : `so since ${minute(f.since)}`;
  return `${domain}: ${what[f.code](f, domain)}. ${f.where} at ${minute(f.at)}: ${f.found}; ${last}. ${effect}`;
}

export const faultFix = (f: Finding, domain: string): string => repair[f.code](f, domain);
