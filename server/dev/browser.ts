/**
 * A browser without a screen, for the demo and the tests: keeps cookies as RFC 6265 wants, follows redirects, fills in forms. It sends what
 * a browser sends (Origin, Sec-Fetch-Site) and stops at a redirect to `stopAt`, where a native client would be listening.
 */
export class Browser {
  readonly #jar = new Map<string, Map<string, { value: string; path: string }>>();
  /** Where we are. */
  url = new URL('about:blank');
  status = 0;
  body = '';
  headers = new Headers();
  readonly visited: string[] = [];

  /** Opens a page and follows where it leads. `stopAt` is a prefix of a URL that is not fetched but returned. */
  async open(url: string | URL, options: { stopAt?: string } = {}): Promise<this> {
    return this.#go(
      new URL(url, this.url.protocol === 'about:' ? undefined : this.url),
      { method: 'GET' },
      'none',
      options.stopAt,
    );
  }

  /** Submits the form that holds `button` (its text or name=value), with the form's own fields and `fields` over them. */
  async submit(
    button: string | RegExp,
    fields: Record<string, string> = {},
    options: { stopAt?: string } = {},
  ): Promise<this> {
    for (const [, attributes = '', inside = ''] of this.body.matchAll(/<form\b([^>]*)>([^]*?)<\/form>/gi)) {
      const buttons = [...inside.matchAll(/<button\b([^>]*)>([^]*?)<\/button>/gi)];
      const hit = buttons.find(([, , words = '']) => matches(plain(words), button));
      if (!hit) continue;
      const values = new URLSearchParams();
      for (const [, a = ''] of inside.matchAll(/<input\b([^>]*)>/gi)) {
        const name = attribute(a, 'name');
        const type = attribute(a, 'type') ?? 'text';
        if (name === undefined || ((type === 'radio' || type === 'checkbox') && !/\bchecked\b/.test(a))) continue;
        values.append(name, attribute(a, 'value') ?? '');
      }
      for (const [, a = '', options_ = ''] of inside.matchAll(/<select\b([^>]*)>([^]*?)<\/select>/gi)) {
        const name = attribute(a, 'name');
        const all = [...options_.matchAll(/<option\b([^>]*)>/gi)].map(([, o = '']) => o);
        const chosen = all.find((o) => /\bselected\b/.test(o)) ?? all[0];
        if (name !== undefined && chosen !== undefined) values.append(name, attribute(chosen, 'value') ?? '');
      }
      const own = attribute(hit[1] ?? '', 'name');
      if (own !== undefined) values.set(own, attribute(hit[1] ?? '', 'value') ?? '');
      for (const [k, v] of Object.entries(fields)) values.set(k, v);
      const action = new URL(
        attribute(hit[1] ?? '', 'formaction') ?? attribute(attributes, 'action') ?? this.url.href,
        this.url,
      );
      const method = (attribute(attributes, 'method') ?? 'get').toUpperCase();
      if (method === 'GET') {
        action.search = values.toString();
        return this.#go(action, { method: 'GET' }, 'same-origin', options.stopAt);
      }
      return this.#go(
        action,
        { method, body: values },
        action.origin === this.url.origin ? 'same-origin' : 'cross-site',
        options.stopAt,
      );
    }
    throw new Error(`no form with the button ${String(button)} at ${this.url.href}:\n${this.text()}`);
  }

  /** Follows the link with this text. */
  async follow(words: string | RegExp, options: { stopAt?: string } = {}): Promise<this> {
    for (const [, a = '', inside = ''] of this.body.matchAll(/<a\b([^>]*)>([^]*?)<\/a>/gi))
      if (matches(plain(inside), words))
        return this.#go(
          new URL(attribute(a, 'href') ?? '', this.url),
          { method: 'GET' },
          'same-origin',
          options.stopAt,
        );
    throw new Error(`no link ${String(words)} at ${this.url.href}:\n${this.text()}`);
  }

  /** What a person reads on the page. */
  text(): string {
    return plain(this.body.replace(/<(script|style|head)\b[^]*?<\/\1>/gi, ''));
  }

  /** The Cookie header that would go to `url`. */
  cookies(url: URL): string {
    return [...(this.#jar.get(url.host) ?? [])]
      .flatMap(([name, c]) => (under(url.pathname, c.path) ? [`${name}=${c.value}`] : []))
      .join('; ');
  }

  async #go(
    to: URL,
    init: { method: string; body?: URLSearchParams },
    site: string,
    stopAt: string | undefined,
  ): Promise<this> {
    let url = to;
    let { method, body } = init;
    for (let hops = 0; hops < 20; hops++) {
      this.visited.push(`${method} ${url.origin}${url.pathname}`);
      if (stopAt !== undefined && url.href.startsWith(stopAt)) {
        this.url = url;
        return this;
      }
      const cookie = this.cookies(url);
      const answer = await fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          accept: 'text/html,application/xhtml+xml',
          ...(cookie ? { cookie } : {}),
          ...(method === 'GET' ? {} : { origin: this.url.origin === 'null' ? url.origin : this.url.origin }),
          'sec-fetch-site': site,
          'sec-fetch-mode': 'navigate',
        },
        ...(body ? { body } : {}),
      });
      this.#keep(url, answer.headers.getSetCookie());
      const location = answer.headers.get('location');
      if (answer.status >= 300 && answer.status < 400 && location !== null) {
        await answer.body?.cancel();
        const next = new URL(location, url);
        if (answer.status !== 307 && answer.status !== 308) {
          method = 'GET';
          body = undefined;
        }
        this.url = url;
        url = next;
        continue;
      }
      this.url = url;
      this.status = answer.status;
      this.headers = answer.headers;
      this.body = await answer.text();
      return this;
    }
    throw new Error(`more than 20 redirects, the last to ${url.href}`);
  }

  #keep(url: URL, cookies: readonly string[]): void {
    const jar = this.#jar.get(url.host) ?? new Map<string, { value: string; path: string }>();
    this.#jar.set(url.host, jar);
    for (const line of cookies) {
      const [pair = '', ...attributes] = line.split(';').map((p) => p.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const get = (key: string): string | undefined =>
        attributes.find((a) => a.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
      const gone =
        get('max-age') === '0' || (get('expires') !== undefined && Date.parse(get('expires') ?? '') <= Date.now());
      if (gone || value === '') jar.delete(name);
      else jar.set(name, { value, path: get('path') ?? '/' });
    }
  }
}

const under = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
const matches = (text: string, wanted: string | RegExp): boolean =>
  typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
const unescape = (s: string): string =>
  s.replace(
    /&(amp|lt|gt|quot|#39|#x27);/g,
    (_, e: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" })[e] ?? '',
  );
const plain = (html: string): string =>
  unescape(
    html
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  );
const attribute = (tag: string, name: string): string | undefined => {
  const m = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  return m ? unescape(m[1] ?? m[2] ?? m[3] ?? '') : undefined;
};
