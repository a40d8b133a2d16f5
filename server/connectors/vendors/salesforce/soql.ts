import { badSoql, soqlTokens, type Token } from './soql-tokens.ts';

/** Names from an object to a field, over its parents: `Account.Owner.Name` is three. */
export type Path = readonly string[];
export type Item =
  | { kind: 'field'; path: Path }
  | { kind: 'function'; name: string; of: Path | undefined; as: string | undefined }
  | { kind: 'children'; query: Query };
export type Value = { kind: 'string' | 'number' | 'literal'; text: string } | { kind: 'word'; text: string };
export type Left = { path: Path; function?: string };
export type Condition =
  | { kind: 'and' | 'or'; parts: readonly Condition[] }
  | { kind: 'not'; part: Condition }
  | { kind: 'compare'; left: Left; sign: string; value: Value }
  | { kind: 'list'; left: Left; sign: string; values: readonly Value[] }
  | { kind: 'semi'; left: Left; sign: string; query: Query };
export type Query = {
  items: readonly Item[];
  /** An object, or of `children` the name of a relationship. */
  from: string;
  where: Condition | undefined;
  groupBy: readonly Left[];
  having: Condition | undefined;
  orderBy: readonly { by: Left; descending: boolean; nulls: 'FIRST' | 'LAST' | undefined }[];
  limit: number | undefined;
  offset: number | undefined;
};

const aggregates = new Set(['COUNT', 'COUNT_DISTINCT', 'AVG', 'SUM', 'MIN', 'MAX']);
const dates = new Set(
  'CALENDAR_MONTH CALENDAR_QUARTER CALENDAR_YEAR DAY_IN_MONTH DAY_IN_WEEK DAY_IN_YEAR DAY_ONLY FISCAL_MONTH FISCAL_QUARTER FISCAL_YEAR HOUR_IN_DAY WEEK_IN_MONTH WEEK_IN_YEAR'.split(
    ' ',
  ),
);
const shown = new Set(['TOLABEL', 'FORMAT', 'CONVERTCURRENCY']);
/** Dates by name. Those with a number come as one token and are looked up without it. */
const dateWords = new Set(
  'YESTERDAY TODAY TOMORROW LAST_WEEK THIS_WEEK NEXT_WEEK LAST_MONTH THIS_MONTH NEXT_MONTH LAST_90_DAYS NEXT_90_DAYS THIS_QUARTER LAST_QUARTER NEXT_QUARTER THIS_YEAR LAST_YEAR NEXT_YEAR THIS_FISCAL_QUARTER LAST_FISCAL_QUARTER NEXT_FISCAL_QUARTER THIS_FISCAL_YEAR LAST_FISCAL_YEAR NEXT_FISCAL_YEAR'.split(
    ' ',
  ),
);
const countedDates =
  /^(?:LAST|NEXT)_N_(?:DAYS|WEEKS|MONTHS|QUARTERS|YEARS|FISCAL_QUARTERS|FISCAL_YEARS):\d+$|^N_(?:DAYS|WEEKS|MONTHS|QUARTERS|YEARS|FISCAL_QUARTERS|FISCAL_YEARS)_AGO:\d+$/;
/** Words that have a place of their own and so are no names. */
const reserved = new Set(
  'SELECT FROM WHERE AND OR NOT IN LIKE INCLUDES EXCLUDES GROUP ORDER BY HAVING LIMIT OFFSET WITH USING SCOPE FOR UPDATE VIEW REFERENCE TYPEOF END ALL ROWS ASC DESC NULLS FIRST LAST NULL TRUE FALSE FIELDS TRACKING VIEWSTAT'.split(
    ' ',
  ),
);
const MAX_ITEMS = 100;
const MAX_DEPTH = 8;
/** From a child to its fifth parent, and a field of that. */
const MAX_PATH = 6;

/**
 * A query as we understand it. What we do not know is refused, not passed on; what goes to Salesforce is printed from this and never the caller's
 * text. Sharing and field permissions are Salesforce's to enforce: its REST API does so for the user whose token it is, which is why no
 * `WITH SECURITY_ENFORCED` (a clause of Apex) is added.
 */
export function parseSoql(text: string): Query {
  const p = new Parser(soqlTokens(text));
  const query = p.query('whole');
  p.end();
  return query;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get #now(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }
  #take(): Token {
    const t = this.#now;
    this.#at++;
    return t;
  }
  #isWord(word: string, ahead = 0): boolean {
    const t = this.#tokens[this.#at + ahead];
    return t?.kind === 'word' && t.text.toUpperCase() === word;
  }
  #isSign(sign: string, ahead = 0): boolean {
    const t = this.#tokens[this.#at + ahead];
    return t?.kind === 'sign' && t.text === sign;
  }
  #tryWord(word: string): boolean {
    if (!this.#isWord(word)) return false;
    this.#at++;
    return true;
  }
  #trySign(sign: string): boolean {
    if (!this.#isSign(sign)) return false;
    this.#at++;
    return true;
  }
  #word(word: string): void {
    if (!this.#tryWord(word)) throw this.#expected(word);
  }
  #sign(sign: string): void {
    if (!this.#trySign(sign)) throw this.#expected(`"${sign}"`);
  }
  #expected(what: string) {
    const t = this.#now;
    return badSoql(`expected ${what}, found ${t.kind === 'end' ? 'the end' : `"${t.text.slice(0, 40)}"`}`);
  }

  end(): void {
    if (this.#now.kind === 'end') return;
    const word = this.#now.kind === 'word' ? this.#now.text.toUpperCase() : '';
    if (word === 'FOR')
      throw badSoql('FOR UPDATE, FOR VIEW and FOR REFERENCE are not taken: they lock or mark records');
    if (word === 'UPDATE') throw badSoql('UPDATE TRACKING and UPDATE VIEWSTAT are not taken: they change records');
    if (word === 'WITH' || word === 'USING' || word === 'ALL') throw badSoql(`${word} is not taken`);
    throw this.#expected('the end of the query');
  }

  #name(): string {
    const t = this.#now;
    // Two objects are called like clauses; before a dot, a name is nothing else.
    const object = (this.#isWord('ORDER') || this.#isWord('GROUP')) && this.#isSign('.', 1);
    if (t.kind !== 'word' || (reserved.has(t.text.toUpperCase()) && !object)) throw this.#expected('a name');
    this.#at++;
    return t.text;
  }
  #path(): Path {
    const path = [this.#name()];
    while (this.#trySign('.')) path.push(this.#name());
    if (path.length > MAX_PATH) throw badSoql('a path goes over more than five parents');
    return path;
  }

  query(where: 'whole' | 'children' | 'semi'): Query {
    this.#word('SELECT');
    const items: Item[] = [];
    do items.push(this.#item(where));
    while (this.#trySign(','));
    if (items.length > MAX_ITEMS) throw badSoql(`more than ${MAX_ITEMS} fields are asked for`);
    this.#word('FROM');
    const from = this.#isWord('ORDER') || this.#isWord('GROUP') ? this.#take().text : this.#name();
    if (this.#isSign(',') || this.#isSign('.')) throw badSoql('FROM takes one object, and no alias');
    const condition = this.#tryWord('WHERE') ? this.#either() : undefined;
    const groupBy: Left[] = [];
    let having: Condition | undefined;
    if (where === 'whole' && this.#tryWord('GROUP')) {
      this.#word('BY');
      do groupBy.push(this.#left());
      while (this.#trySign(','));
      if (this.#tryWord('HAVING')) having = this.#either();
    }
    const orderBy: { by: Left; descending: boolean; nulls: 'FIRST' | 'LAST' | undefined }[] = [];
    if (where !== 'semi' && this.#tryWord('ORDER')) {
      this.#word('BY');
      do {
        const by = this.#left();
        const descending = this.#tryWord('DESC') || (this.#tryWord('ASC'), false);
        const nulls = this.#tryWord('NULLS')
          ? this.#tryWord('FIRST')
            ? 'FIRST'
            : (this.#word('LAST'), 'LAST')
          : undefined;
        orderBy.push({ by, descending, nulls });
      } while (this.#trySign(','));
    }
    const limit = where !== 'semi' && this.#tryWord('LIMIT') ? this.#count() : undefined;
    const offset = where === 'whole' && this.#tryWord('OFFSET') ? this.#count() : undefined;
    return { items, from, where: condition, groupBy, having, orderBy, limit, offset };
  }

  #count(): number {
    const t = this.#take();
    if (t.kind !== 'number' || !/^\d{1,6}$/.test(t.text)) throw badSoql('LIMIT and OFFSET take a whole number');
    return Number(t.text);
  }

  #item(where: 'whole' | 'children' | 'semi'): Item {
    if (this.#isWord('TYPEOF')) throw badSoql('TYPEOF is not taken; ask for the fields by their paths');
    if (this.#isWord('FIELDS')) throw badSoql('FIELDS() is not taken; name the fields');
    if (this.#trySign('(')) {
      if (where !== 'whole') throw badSoql('a query of children has no further query in it');
      const query = this.query('children');
      this.#sign(')');
      return { kind: 'children', query };
    }
    if (this.#isSign('(', 1)) {
      if (where === 'semi') throw badSoql('a query in IN (…) selects one field');
      const name = this.#function(new Set([...aggregates, ...dates, ...shown]));
      this.#sign('(');
      const of = this.#isSign(')') ? undefined : this.#path();
      this.#sign(')');
      if (of === undefined && name !== 'COUNT') throw badSoql(`${name}() needs a field`);
      const t = this.#now;
      const as = t.kind === 'word' && !reserved.has(t.text.toUpperCase()) ? this.#name() : undefined;
      return { kind: 'function', name, of, as };
    }
    return { kind: 'field', path: this.#path() };
  }

  #function(known: ReadonlySet<string>): string {
    const name = this.#take().text.toUpperCase();
    if (!known.has(name)) throw badSoql(`the function ${name.slice(0, 40)} is not taken`);
    return name;
  }

  #left(): Left {
    if (!this.#isSign('(', 1)) return { path: this.#path() };
    const name = this.#function(new Set([...aggregates, ...dates]));
    this.#sign('(');
    const path = this.#path();
    this.#sign(')');
    return { path, function: name };
  }

  #either(): Condition {
    if (++this.#depth > MAX_DEPTH) throw badSoql('conditions are nested too deeply');
    const parts = [this.#part()];
    const kind = this.#isWord('OR') ? 'or' : 'and';
    while (this.#tryWord(kind.toUpperCase())) parts.push(this.#part());
    if (this.#isWord('AND') || this.#isWord('OR'))
      throw badSoql('AND and OR are mixed; put brackets around one of them');
    this.#depth--;
    const [one, ...more] = parts;
    return one !== undefined && more.length === 0 ? one : { kind, parts };
  }

  #part(): Condition {
    if (this.#tryWord('NOT')) {
      if (++this.#depth > MAX_DEPTH) throw badSoql('conditions are nested too deeply');
      const part = this.#part();
      this.#depth--;
      return { kind: 'not', part };
    }
    if (this.#trySign('(')) {
      const inside = this.#either();
      this.#sign(')');
      return inside;
    }
    const left = this.#left();
    const t = this.#take();
    const sign = t.text.toUpperCase();
    if (t.kind === 'sign' && ['=', '!=', '<>', '<', '<=', '>', '>='].includes(sign))
      return { kind: 'compare', left, sign: sign === '<>' ? '!=' : sign, value: this.#value() };
    if (t.kind !== 'word') throw badSoql('a condition needs a comparison');
    if (sign === 'LIKE') {
      const value = this.#value();
      if (value.kind !== 'string') throw badSoql('LIKE takes a string');
      return { kind: 'compare', left, sign, value };
    }
    const list = sign === 'NOT' ? (this.#word('IN'), 'NOT IN') : sign;
    if (!['IN', 'NOT IN', 'INCLUDES', 'EXCLUDES'].includes(list))
      throw badSoql(`${sign.slice(0, 40)} is no comparison`);
    this.#sign('(');
    if (this.#isWord('SELECT')) {
      if (!list.endsWith('IN')) throw badSoql(`${list} takes a list of values`);
      const query = this.query('semi');
      const [item, ...more] = query.items;
      if (item?.kind !== 'field' || more.length > 0) throw badSoql('a query in IN (…) selects one field');
      this.#sign(')');
      return { kind: 'semi', left, sign: list, query };
    }
    const values: Value[] = [];
    do values.push(this.#value());
    while (this.#trySign(','));
    this.#sign(')');
    return { kind: 'list', left, sign: list, values };
  }

  #value(): Value {
    const t = this.#take();
    if (t.kind === 'string' || t.kind === 'number') return { kind: t.kind, text: t.text };
    const word = t.text.toUpperCase();
    if (t.kind === 'literal') {
      // Of dates only the T and the Z are letters, and they are written so.
      if (/^\d/.test(t.text) || countedDates.test(word)) return { kind: 'literal', text: word };
      throw badSoql(`${t.text.slice(0, 40)} is no date`);
    }
    if (t.kind === 'word' && (['NULL', 'TRUE', 'FALSE'].includes(word) || dateWords.has(word)))
      return { kind: 'word', text: word };
    throw badSoql(
      t.kind === 'end' ? 'a value is missing' : `"${t.text.slice(0, 40)}" is no value; strings stand in single quotes`,
    );
  }
}
