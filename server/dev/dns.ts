// Longer than 300 lines: servers, zones and resolvers are one small internet, and each misbehaviour is a few words in the same answer.
// A small internet of name servers on loopback: a root, zones with their own servers, recursive resolvers; real messages over UDP and TCP.
// Every server has an address of its own in 127.0.0.0/8 and all have one port, as in the world. Each can be made to misbehave.
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import packet, { type Answer, type Packet } from 'dns-packet';

export type Rec =
  | { name: string; type: 'TXT'; data: string | readonly string[]; ttl?: number }
  | { name: string; type: 'A' | 'AAAA' | 'NS' | 'CNAME'; data: string; ttl?: number };

/** How a server answers: truly, or in one of the ways in which servers fail. */
export type Manner =
  | 'true'
  /** Says nothing at all. */
  | 'silent'
  | 'servfail'
  | 'refused'
  /** Answers, but does not serve the zone (lame delegation). */
  | 'lame'
  /** Says that there is more, and has no TCP. */
  | 'cut'
  /** Like true, but every datagram is cut, so that TCP is needed. */
  | 'tcp_only'
  /** Knows no extensions (EDNS): FORMERR. */
  | 'ancient'
  /** These bytes; several datagrams one after the other. */
  | { raw: (query: Buffer, over: 'udp' | 'tcp') => Buffer | Buffer[] };

const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
const AA = packet.AUTHORITATIVE_ANSWER;
const SOA_TTL = 300;
const SOA_MINIMUM = 86_400;

const lower = (name: string): string => name.replace(/\.$/, '').toLowerCase();
const within = (name: string, zone: string): boolean => zone === '' || name === zone || name.endsWith(`.${zone}`);

/** A zone and what is in it. Records are changed in place; servers of the zone answer from it at once. */
export class DnsZone {
  readonly name: string;
  records: Rec[] = [];
  constructor(name: string) {
    this.name = name;
  }
  add(...records: Rec[]): this {
    this.records.push(...records);
    return this;
  }
  /** Takes away what is at a name (of a type). */
  remove(name: string, type?: Rec['type']): this {
    this.records = this.records.filter((r) => lower(r.name) !== lower(name) || (type !== undefined && r.type !== type));
    return this;
  }
  txt(name: string, value: string | readonly string[], ttl = 300): this {
    return this.add({ name, type: 'TXT', data: value, ttl });
  }
  at(name: string, type: Rec['type']): Rec[] {
    return this.records.filter((r) => lower(r.name) === name && r.type === type);
  }
  has(name: string): boolean {
    return this.records.some((r) => within(lower(r.name), name));
  }
  /** The name below this zone at which it is delegated on the way to `name`. */
  cut(name: string): string | undefined {
    return this.records
      .filter((r) => r.type === 'NS' && lower(r.name) !== this.name && within(name, lower(r.name)))
      .map((r) => lower(r.name))
      .sort((a, b) => a.length - b.length)[0];
  }
}

const answerOf = (r: Rec): Answer =>
  r.type === 'TXT'
    ? { type: 'TXT', name: r.name, ttl: r.ttl ?? 300, data: typeof r.data === 'string' ? chunks(r.data) : [...r.data] }
    : { type: r.type, name: r.name, ttl: r.ttl ?? 300, data: r.data };
/** Strings of 255 bytes, wherever that cuts a character. */
const chunks = (text: string): Buffer[] => {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.max(1, Math.ceil(bytes.length / 255)) }, (_, i) =>
    bytes.subarray(255 * i, 255 * (i + 1)),
  );
};
const soa = (zone: string): Answer => ({
  type: 'SOA',
  name: zone || '.',
  ttl: SOA_TTL,
  data: {
    mname: 'ns.invalid',
    rname: 'host.invalid',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: SOA_MINIMUM,
  },
});

type Said = {
  flags?: number;
  rcode?: keyof typeof RCODE;
  answers?: Answer[];
  authorities?: Answer[];
  additionals?: Answer[];
  ede?: number;
};

/** What a server with these zones says: an answer, a referral with glue, or that there is none. */
function authoritative(zones: readonly DnsZone[], name: string, type: string): Said {
  const zone = zones.filter((z) => within(name, z.name)).sort((a, b) => b.name.length - a.name.length)[0];
  if (!zone) return { rcode: 'REFUSED' };
  const cut = zone.cut(name);
  if (cut !== undefined) {
    const ns = zone.at(cut, 'NS');
    const glue = ns.flatMap((r) => (typeof r.data === 'string' ? zone.at(lower(r.data), 'A') : []));
    return { authorities: ns.map(answerOf), additionals: glue.map(answerOf) };
  }
  const answers: Answer[] = [];
  let at = name;
  for (let i = 0; i < 10 && within(at, zone.name); i++) {
    const own = zone.records.filter((r) => lower(r.name) === at && r.type === type);
    answers.push(...own.map(answerOf));
    const alias = own.length === 0 ? zone.at(at, 'CNAME')[0] : undefined;
    if (!alias || typeof alias.data !== 'string') break;
    answers.push(answerOf(alias));
    at = lower(alias.data);
  }
  const gone = answers.length === 0 && !zone.has(name) && name !== zone.name;
  return {
    flags: AA,
    rcode: gone ? 'NXDOMAIN' : 'NOERROR',
    answers,
    ...(answers.some((a) => a.type === type) ? {} : { authorities: [soa(zone.name)] }),
  };
}

export class DnsServerStandIn {
  readonly address: string;
  manner: Manner = 'true';
  zones: DnsZone[] = [];
  /** For a resolver: what it remembers or is made to say, by name. `bogus` is SERVFAIL with the extended error 6. */
  readonly told = new Map<
    string,
    { txts?: readonly string[]; ttl?: number; rcode?: keyof typeof RCODE; bogus?: true }
  >();
  /** Names that were asked for, with the way they came. */
  readonly asked: string[] = [];
  /** For a resolver: the whole internet, which it walks by itself. */
  readonly internet: (() => readonly DnsZone[]) | undefined;
  constructor(address: string, internet?: () => readonly DnsZone[]) {
    this.address = address;
    this.internet = internet;
  }

  say(name: string, type: string): Said {
    if (!this.internet) return authoritative(this.zones, name, type);
    const told = this.told.get(name);
    if (told?.bogus) return { rcode: 'SERVFAIL', ede: 6 };
    if (told)
      return {
        rcode: told.rcode ?? 'NOERROR',
        answers: (told.txts ?? []).map((data) => answerOf({ name, type: 'TXT', data, ttl: told.ttl ?? 300 })),
        ...(told.txts ? {} : { authorities: [{ ...soa(''), ttl: told.ttl ?? SOA_TTL } as Answer] }),
      };
    const answers: Answer[] = [];
    let at = name;
    for (let i = 0; i < 10; i++) {
      // The zone that is really responsible, which is the deepest that the delegations lead to.
      const found = authoritative(this.internet(), at, type);
      answers.push(...(found.answers ?? []));
      const last = found.answers?.findLast((a) => a.type === 'CNAME');
      const target = last && 'data' in last && typeof last.data === 'string' ? lower(last.data) : undefined;
      if (target === undefined || answers.some((a) => a.type === type))
        return { ...found, flags: packet.RECURSION_AVAILABLE, answers };
      at = target;
    }
    return { rcode: 'SERVFAIL' };
  }

  answer(bytes: Buffer, over: 'udp' | 'tcp'): Buffer | Buffer[] | undefined {
    if (typeof this.manner === 'object') return this.manner.raw(bytes, over);
    const query = packet.decode(bytes);
    const q = query.questions?.[0];
    if (!q || this.manner === 'silent') return undefined;
    this.asked.push(`${over} ${lower(q.name)} ${q.type}`);
    const edns = query.additionals?.find((a) => a.type === 'OPT');
    if (this.manner === 'ancient' && edns) return encode(query, { rcode: 'FORMERR' });
    if (this.manner === 'servfail') return encode(query, { rcode: 'SERVFAIL' });
    if (this.manner === 'refused') return encode(query, { rcode: 'REFUSED' });
    if (this.manner === 'lame') return encode(query, { rcode: 'NOERROR' });
    const said = this.say(lower(q.name), q.type);
    const whole = encode(query, said);
    const most = over === 'tcp' ? 65_535 : edns ? 1232 : 512;
    const cut = over === 'udp' && (whole.length > most || this.manner === 'tcp_only' || this.manner === 'cut');
    return cut
      ? encode(query, {
          ...said,
          flags: (said.flags ?? 0) | packet.TRUNCATED_RESPONSE,
          answers: [],
          authorities: [],
          additionals: [],
        })
      : whole;
  }
}

function encode(query: Packet, s: Said): Buffer {
  const ede = s.ede === undefined ? [] : [{ code: 15, data: Buffer.from([s.ede >> 8, s.ede & 0xff]) }];
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: ede,
  };
  return packet.encode({
    type: 'response',
    id: query.id,
    flags: (s.flags ?? 0) | RCODE[s.rcode ?? 'NOERROR'],
    questions: query.questions,
    answers: s.answers ?? [],
    authorities: s.authorities ?? [],
    additionals: [...(s.additionals ?? []), ...(ede.length > 0 ? [opt as unknown as Answer] : [])],
  });
}

/** A name system of its own; close it. */
export class DnsLab {
  readonly port: number;
  readonly root: DnsServerStandIn;
  readonly resolvers: DnsServerStandIn[] = [];
  readonly zones: DnsZone[];
  readonly #net: string;
  readonly #open: (Socket | Server)[] = [];
  #next = 1;

  private constructor(port: number, net: string) {
    this.port = port;
    this.#net = net;
    this.root = new DnsServerStandIn(this.#address());
    this.zones = [new DnsZone('')];
    this.root.zones = [...this.zones];
  }

  /** A root, and two resolvers. */
  static async start(): Promise<DnsLab> {
    for (let attempt = 0; ; attempt++) {
      const lab = new DnsLab(randomInt(20_000, 60_000), `127.${randomInt(1, 255)}.${randomInt(0, 255)}`);
      try {
        await lab.#listen(lab.root);
        for (let i = 0; i < 2; i++)
          lab.resolvers.push(await lab.#listen(new DnsServerStandIn(lab.#address(), () => lab.zones)));
        return lab;
      } catch (e) {
        await lab.close();
        if (attempt > 20) throw e;
      }
    }
  }

  #address(): string {
    return `${this.#net}.${this.#next++}`;
  }

  /** What `makeDns` needs to live in this lab. */
  get options(): {
    roots: { address: string; port: number }[];
    resolvers: { address: string; port: number }[];
    private: true;
    timeoutMs: number;
  } {
    const at = (s: DnsServerStandIn): { address: string; port: number } => ({ address: s.address, port: this.port });
    return { roots: [at(this.root)], resolvers: this.resolvers.map(at), private: true, timeoutMs: 150 };
  }

  /** The settings of a node that lives in this lab. */
  get env(): Record<'GATEHOUSE_DNS_ROOTS' | 'GATEHOUSE_DNS_RESOLVERS' | 'GATEHOUSE_DNS_PRIVATE', string> {
    const at = (s: DnsServerStandIn): string => `${s.address}:${this.port}`;
    return {
      GATEHOUSE_DNS_ROOTS: at(this.root),
      GATEHOUSE_DNS_RESOLVERS: this.resolvers.map(at).join(','),
      GATEHOUSE_DNS_PRIVATE: 'on',
    };
  }

  /** A zone with servers of its own, delegated from the nearest zone above it. */
  async zone(name: string, servers = 1): Promise<{ zone: DnsZone; servers: DnsServerStandIn[] }> {
    const zone = new DnsZone(name);
    const above = this.zones.filter((z) => within(name, z.name)).sort((a, b) => b.name.length - a.name.length)[0];
    const made: DnsServerStandIn[] = [];
    for (let i = 1; i <= servers; i++) {
      const server = await this.#listen(new DnsServerStandIn(this.#address()));
      server.zones = [zone];
      made.push(server);
      const host = `ns${i}.${name}`;
      for (const z of [above, zone])
        z?.add({ name, type: 'NS', data: host }, { name: host, type: 'A', data: server.address });
    }
    this.zones.push(zone);
    return { zone, servers: made };
  }

  /** A server at an address that nobody delegates to yet. */
  server(): Promise<DnsServerStandIn> {
    return this.#listen(new DnsServerStandIn(this.#address()));
  }

  async #listen(server: DnsServerStandIn): Promise<DnsServerStandIn> {
    const udp = createSocket('udp4');
    this.#open.push(udp);
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind(this.port, server.address, () => resolve());
    });
    udp.on('error', () => undefined);
    udp.on('message', (bytes, from) => {
      for (const reply of [server.answer(bytes, 'udp') ?? []].flat()) udp.send(reply, from.port, from.address);
    });
    const tcp = createServer((socket) => {
      let all = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.setTimeout(5000, () => socket.destroy());
      socket.on('data', (chunk: Buffer) => {
        all = Buffer.concat([all, chunk]);
        if (all.length < 2 || all.length < all.readUInt16BE(0) + 2) return;
        if (server.manner === 'cut') return void socket.destroy();
        const [reply] = [server.answer(all.subarray(2, all.readUInt16BE(0) + 2), 'tcp') ?? []].flat();
        if (!reply) return;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.end(Buffer.concat([length, reply]));
      });
    });
    this.#open.push(tcp);
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(this.port, server.address, () => resolve());
    });
    return server;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#open.splice(0).map(
        (s) =>
          new Promise<void>((resolve) => {
            try {
              s.close(() => resolve());
            } catch {
              resolve(); // never opened
            }
          }),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
