// Text without anything that should be found, made to look like it has: numbers, ids, hashes and dates of every kind. The same for the same seed.
import type { Random } from './random-cedar.ts';

export const pickOf = <T>(r: Random, of: readonly T[]): T => of[r(of.length)]!;
export const digitsOf = (r: Random, n: number): string => Array.from({ length: n }, () => r(10)).join('');
export const hexOf = (r: Random, n: number): string =>
  Array.from({ length: n }, () => '0123456789abcdef'.charAt(r(16))).join('');
const two = (n: number): string => String(n).padStart(2, '0');

const words: Record<string, string> = {
  en: 'the of and to in is that for it as was with be by on not he his but at are this have from or had they which one you were all her she there would their we him been has when who will no more if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three customer order delivery meeting report quarter budget project release ticket review team office contract invoice supplier region forecast pipeline',
  de: 'der die und in den von zu das mit sich des auf ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sei Kunde Lieferung Bericht Angebot Rechnung Vertrag Quartal Sitzung Projekt Abteilung',
  fr: 'de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la mais comme ou si leur y dont tout nous sa avec son être ont cette fait client livraison rapport facture contrat réunion projet équipe semaine budget',
  es: 'de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy cliente entrega informe factura contrato reunión proyecto equipo semana',
  it: 'di e il la che in a per un del non sono le con si una da al come anche i più della gli ma nel alla se o dei ha suo loro questo tutti essere stato cliente consegna rapporto fattura contratto riunione progetto squadra settimana',
  nl: 'de van een het en in is dat op te zijn met voor niet aan er die om ook als maar bij uit door naar heeft hij wordt nog over worden zo kan meer dan werd klant levering rapport factuur contract vergadering project ploeg week',
  pl: 'w i na z do nie się że o jest to jak po co tak za od ale przez przy już był tym przed może ich dla jego tylko lub klient dostawa raport faktura umowa spotkanie projekt zespół tydzień budżet',
  pt: 'de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das seu sua ou quando muito nos já também só pelo pela até isso entrega cliente relatório fatura contrato reunião projeto equipe semana',
};
export const languages = Object.keys(words);
const lists = new Map(Object.entries(words).map(([l, w]) => [l, w.split(' ')]));

/** A sentence of so many words. */
export function sentence(r: Random, language = 'en', n = 6 + r(12)): string {
  const list = lists.get(language) ?? [];
  const text = Array.from({ length: n }, () => pickOf(r, list)).join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const day = (r: Random): string => `20${two(18 + r(10))}-${two(1 + r(12))}-${two(1 + r(28))}`;
const clock = (r: Random): string => `${two(r(24))}:${two(r(60))}:${two(r(60))}`;
export const uuid = (r: Random): string =>
  `${hexOf(r, 8)}-${hexOf(r, 4)}-4${hexOf(r, 3)}-a${hexOf(r, 3)}-${hexOf(r, 12)}`;
const isbn = (r: Random): string => {
  const body = `978${digitsOf(r, 9)}`;
  const sum = body.split('').reduce((s, d, i) => s + Number(d) * (i % 2 === 0 ? 1 : 3), 0);
  return body + ((10 - (sum % 10)) % 10);
};

/** What looks like something to be found and is not. */
export const decoys: readonly ((r: Random) => string)[] = [
  (r) => `order ${pickOf(r, ['1', '7', '9'])}${digitsOf(r, 5 + r(8))}`,
  (r) => `ORD-20${two(20 + r(8))}-${digitsOf(r, 7)}`,
  (r) => `invoice no. ${digitsOf(r, 8)}`,
  (r) => `ref ${uuid(r)}`,
  (r) => `commit ${hexOf(r, 40)}`,
  (r) => `sha256:${hexOf(r, 64)}`,
  (r) => `md5 ${hexOf(r, 32)}`,
  (r) => `at ${day(r)}T${clock(r)}.${digitsOf(r, 3)}Z`,
  (r) => `ts=17${digitsOf(r, 11)}`,
  (r) => `17${digitsOf(r, 17)} ns`,
  (r) => `version ${r(30)}.${r(40)}.${r(4000)}-rc.${r(9)}`,
  (r) => `build ${digitsOf(r, 4)}.${digitsOf(r, 5)}.${digitsOf(r, 3)}`,
  (r) => `${r(90)}.${digitsOf(r, 14)}, ${r(90)}.${digitsOf(r, 13)}`,
  (r) => `ISBN ${isbn(r)}`,
  (r) => `IMEI 35${digitsOf(r, 13)}`,
  (r) => `10.${r(256)}.${r(256)}.${r(256)}:${1024 + r(60_000)}`,
  (r) => [0, 1, 2, 3, 4, 5].map(() => hexOf(r, 2)).join(':'),
  (r) => `EUR ${digitsOf(r, 3)}.${digitsOf(r, 3)},${digitsOf(r, 2)}`,
  (r) => `$${1 + r(999)},${digitsOf(r, 3)},${digitsOf(r, 3)}.${digitsOf(r, 2)}`,
  (r) => `${day(r)} to ${day(r)}`,
  (r) => `${two(1 + r(28))}.${two(1 + r(12))}.20${two(r(28))} ${clock(r)}`,
  (r) => `pages ${r(900)}-${r(900)}, table ${r(30)}.${r(9)}`,
  (r) => `SKU ${pickOf(r, ['AB', 'XK', 'PT', 'DE'])}-${digitsOf(r, 6)}-${hexOf(r, 4).toUpperCase()}`,
  (r) => `tracking 1Z${hexOf(r, 6).toUpperCase()}${digitsOf(r, 10)}`,
  (r) => `usr_${hexOf(r, 32)}`,
  (r) => `"next_page_token":"${Buffer.from(hexOf(r, 24)).toString('hex')}"`.slice(0, 50),
  (r) => `arn:aws:iam::${digitsOf(r, 12)}:role/deploy`,
  (r) => `color #${hexOf(r, 6)}; width: ${r(2000)}px`,
  (r) => `\`git show ${hexOf(r, 8)}\` and **${sentence(r, 'en', 2)}**`,
  (r) => `https://app.example/orgs/${hexOf(r, 12)}/files?from=${day(r)}&page=${r(90)}&q=a%20b`,
  (r) => `GET /v1/items/${digitsOf(r, 9)} 200 ${r(4000)}ms`,
  (r) => `lat ${r(90)}.${digitsOf(r, 6)} lon -${r(180)}.${digitsOf(r, 6)}`,
  (r) =>
    `the ${pickOf(r, ['password', 'token', 'secret', 'API key'])} is ${pickOf(r, ['required', 'missing', 'rotated weekly', 'kept in the vault'])}`,
  (r) => `${pickOf(r, ['password', 'token'])}: ${pickOf(r, ['********', '${SECRET}', '<redacted>', 'null'])}`,
  (r) => `born in the ${pickOf(r, ['sixties', 'north', 'old town'])}`,
  (r) => `@scope/package@${r(9)}.${r(20)}.${r(20)}`,
];

/** Prose of several languages with numbers in it. */
export function cleanProse(r: Random, chars: number): string {
  const out: string[] = [];
  for (let n = 0; n < chars;) {
    const s = `${sentence(r, pickOf(r, languages))}${r(5) === 0 ? `, ${pickOf(r, decoys)(r)}` : ''}.${r(8) === 0 ? '\n\n' : ' '}`;
    out.push(s);
    n += s.length;
  }
  return out.join('');
}

/** One line of a log as services write it. */
export const logLine = (r: Random): string =>
  JSON.stringify({
    time: `${day(r)}T${clock(r)}.${digitsOf(r, 3)}Z`,
    level: pickOf(r, ['info', 'warn', 'debug']),
    id: uuid(r),
    user: `usr_${hexOf(r, 32)}`,
    ip: `10.${r(256)}.${r(256)}.${r(256)}`,
    ms: r(3000),
    ts: 1_700_000_000_000 + r(99_999_999) * 1000,
    path: `/api/orgs/${hexOf(r, 12)}/tools/${digitsOf(r, 6)}`,
    status: pickOf(r, [200, 201, 204, 404, 500]),
    msg: sentence(r, 'en', 5),
    trace: hexOf(r, 32),
    note: pickOf(r, decoys)(r),
  });

export function cleanLog(r: Random, chars: number): string {
  const out: string[] = [];
  for (let n = 0; n < chars;) {
    const line = logLine(r);
    out.push(line);
    n += line.length + 1;
  }
  return out.join('\n');
}
