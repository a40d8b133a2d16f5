import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect as connectTcp, isIP } from 'node:net';
import packet from 'dns-packet';
import { reach } from './address.ts';
import { readMessage, sameQuestion, type DnsReply, type Question } from './dns-message.ts';

/** A server to ask. `named`: the operator or the machine's own configuration wrote it down; else we heard of it from another server. */
export type DnsServer = { name: string; address: string; port: number; named: boolean };

/** Why a server gave no answer that can be used. `truncated`: it said that there is more, and did not give it over TCP. */
export type NoAnswer = 'timeout' | 'unreachable' | 'malformed' | 'truncated' | 'forbidden';

export type Asked = { ok: true; reply: DnsReply } | { ok: false; why: NoAnswer };

/** The way out for names, beside `egress` for everything else. It never guesses, caches or follows: one server is asked one question. */
export interface Dns {
  ask(server: DnsServer, q: Question, how: { recurse: boolean }): Promise<Asked>;
  /** Where a walk from the top begins; a server heard of below them is asked on their port. */
  readonly roots: readonly DnsServer[];
  /** Resolvers that recurse for us, to compare with. */
  readonly resolvers: readonly DnsServer[];
}

export type DnsOptions = {
  roots?: readonly { address: string; port: number }[] | undefined;
  resolvers?: readonly { address: string; port: number }[] | undefined;
  /** Servers at addresses inside a network may be asked, too. Without it a delegation cannot make us send packets to our own network. */
  private?: boolean;
  /** How long one try waits. */
  timeoutMs?: number;
};

/** The root servers (IANA, `named.root`). One that answers is enough; the addresses change about once in ten years, one at a time. */
const ROOTS = [
  ['a', '198.41.0.4'],
  ['b', '170.247.170.2'],
  ['c', '192.33.4.12'],
  ['d', '199.7.91.13'],
  ['e', '192.203.230.10'],
  ['f', '192.5.5.241'],
  ['g', '192.112.36.4'],
  ['h', '198.97.190.53'],
  ['i', '192.36.148.17'],
  ['j', '192.58.128.30'],
  ['k', '193.0.14.129'],
  ['l', '199.7.83.42'],
  ['m', '202.12.27.33'],
] as const;

/** A far server on a bad day answers within this; two tries and one over TCP make six seconds. */
const TRY_MS = 2000;
const TRIES = 2;
/** What we say we can take in one datagram: passes every path without fragments (DNS flag day 2020). */
const UDP_PAYLOAD = 1232;
/** Largest message over TCP. The protocol allows 64 KiB; a set of TXT records that people keep by hand is far below. */
const MAX_TCP_BYTES = 32 * 1024;
/** Datagrams that do not belong to our question; more is an attack, and TCP cannot be forged from aside. */
const MAX_STRAYS = 32;

const ASKABLE = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/i;

/** Two of the machine's own resolvers. */
const fromMachine = (): { address: string; port: number }[] =>
  getServers()
    .slice(0, 2)
    .map((s) => {
      const bracketed = /^\[(.+)\]:(\d+)$/.exec(s);
      if (bracketed) return { address: bracketed[1] ?? '', port: Number(bracketed[2]) };
      const v4 = /^([\d.]+):(\d+)$/.exec(s);
      return v4 ? { address: v4[1] ?? '', port: Number(v4[2]) } : { address: s, port: 53 };
    });

/** Makes the way out for names. Without options: the world's root servers, and two resolvers of this machine. */
export function makeDns(o: DnsOptions = {}): Dns {
  const named = (name: string, s: { address: string; port: number }): DnsServer => ({ name, ...s, named: true });
  const tryMs = o.timeoutMs ?? TRY_MS;
  return {
    roots: o.roots
      ? o.roots.map((r) => named(r.address, r))
      : ROOTS.map(([letter, address]) => named(`${letter}.root-servers.net`, { address, port: 53 })),
    resolvers: (o.resolvers ?? fromMachine()).map((r) => named(r.address, r)),
    async ask(server, q, { recurse }) {
      const far = reach(server.address);
      // A delegation is somebody else's text. Only who runs this machine may point us at an address inside it.
      // Names come from other servers' answers, too; what cannot be asked for is not put into a message.
      if (!ASKABLE.test(q.name) || q.name.length > 253) return { ok: false, why: 'malformed' };
      if (far === 'never' || (far === 'private' && !server.named && !o.private)) return { ok: false, why: 'forbidden' };
      let last: Asked = { ok: false, why: 'timeout' };
      let edns = true;
      for (let i = 0; i < TRIES; i++) {
        last = await overUdp(server, q, recurse, edns, tryMs);
        // Servers from before 1999 answer FORMERR to the extension.
        if (last.ok && last.reply.rcode === 'FORMERR' && edns) edns = false;
        else if (last.ok || last.why === 'unreachable' || last.why === 'malformed') break;
      }
      if (last.ok && !last.reply.truncated) return last;
      // Truncated, silent, or not to be believed: TCP carries more, passes where datagrams are dropped, and cannot be forged from aside.
      const tcp = await overTcp(server, q, recurse, tryMs);
      if (tcp.ok) return tcp.reply.truncated ? { ok: false, why: 'truncated' } : tcp;
      return last.ok || tcp.why === 'truncated'
        ? { ok: false, why: 'truncated' }
        : tcp.why === 'malformed'
          ? tcp
          : last;
    },
  };
}

/** Upper and lower case at random: an answer must repeat it, which is some bits more to guess for a forger (draft-vixie-dnsext-dns0x20). */
const mixed = (name: string): string =>
  name.replace(/[a-z]/g, (letter) => (randomInt(2) === 1 ? letter.toUpperCase() : letter));

function query(q: Question, recurse: boolean, edns: boolean): { id: number; name: string; bytes: Buffer } {
  const id = randomInt(0x10000);
  const name = mixed(q.name);
  const opt = {
    type: 'OPT' as const,
    name: '.',
    udpPayloadSize: UDP_PAYLOAD,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const bytes = packet.encode({
    type: 'query',
    id,
    flags: recurse ? packet.RECURSION_DESIRED : 0,
    questions: [{ type: q.type, name }],
    additionals: edns ? [opt] : [],
  });
  return { id, name, bytes };
}

/** One question in one datagram, from a port of its own. */
function overUdp(server: DnsServer, q: Question, recurse: boolean, edns: boolean, ms: number): Promise<Asked> {
  return new Promise((resolve) => {
    const { id, name, bytes } = query(q, recurse, edns);
    const socket = createSocket(isIP(server.address) === 6 ? 'udp6' : 'udp4');
    let strays = 0;
    let done = false;
    const end = (a: Asked): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      socket.close();
      resolve(a);
    };
    const timer = setTimeout(() => end({ ok: false, why: 'timeout' }), ms);
    socket.on('error', () => end({ ok: false, why: 'unreachable' }));
    socket.on('message', (bytesIn) => {
      const reply = readMessage(bytesIn);
      // A stranger's datagram does not end the wait: it would let anybody who can guess the port spoil the answer.
      if (bytesIn.length < 12 || bytesIn.readUInt16BE(0) !== id) {
        if (++strays > MAX_STRAYS) end({ ok: false, why: 'timeout' });
      } else if (!reply || !sameQuestion(reply, { ...q, name })) end({ ok: false, why: 'malformed' });
      // The right id with our name in another spelling: an old server, or a forger. TCP tells them apart.
      else if (!reply.spelled.includes(name)) end({ ok: false, why: 'malformed' });
      else end({ ok: true, reply: { ...reply, via: 'udp' } });
    });
    // Connected, so that the system drops what comes from elsewhere and tells when nobody listens.
    socket.connect(server.port, server.address, () => {
      if (!done) socket.send(bytes);
    });
  });
}

function overTcp(server: DnsServer, q: Question, recurse: boolean, ms: number): Promise<Asked> {
  return new Promise((resolve) => {
    const { id, name, bytes } = query(q, recurse, true);
    const socket = connectTcp({ host: server.address, port: server.port });
    const chunks: Buffer[] = [];
    let size = 0;
    let done = false;
    const end = (a: Asked): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      socket.destroy();
      resolve(a);
    };
    const timer = setTimeout(() => end({ ok: false, why: 'timeout' }), ms);
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      socket.write(Buffer.concat([length, bytes]));
    });
    socket.on('error', () => end({ ok: false, why: 'unreachable' }));
    socket.on('close', () => end({ ok: false, why: 'malformed' }));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size < 2) return;
      const all = Buffer.concat(chunks);
      const wanted = all.readUInt16BE(0);
      if (wanted > MAX_TCP_BYTES) return end({ ok: false, why: 'truncated' });
      if (size < wanted + 2) return;
      const reply = readMessage(all.subarray(2, wanted + 2));
      if (!reply || reply.id !== id || !sameQuestion(reply, { ...q, name })) end({ ok: false, why: 'malformed' });
      else end({ ok: true, reply: { ...reply, via: 'tcp' } });
    });
  });
}
