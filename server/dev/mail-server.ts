import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail as it came over the wire. */
export type Received = { from: string; to: string[]; raw: string };

/** A mail server of a test, on this machine. `answer` is what it says to a recipient: a code, or undefined to take the mail. */
export type MailServer = {
  port: number;
  url: string;
  received: Received[];
  answer: ((to: string) => number | undefined) | undefined;
  close(): Promise<void>;
};

/** Speaks real SMTP: without TLS, and with a login where one is given. */
export async function startMailServer(o: { login?: { user: string; password: string } } = {}): Promise<MailServer> {
  const received: Received[] = [];
  const refusal = (code: number): Error => Object.assign(new Error(`said ${code}`), { responseCode: code });
  const server = new SMTPServer({
    hideSTARTTLS: true,
    authOptional: !o.login,
    allowInsecureAuth: true,
    logger: false,
    disableReverseLookup: true,
    onAuth(auth, _session, done) {
      if (auth.username === o.login?.user && auth.password === o.login?.password) done(null, { user: auth.username });
      else done(refusal(535));
    },
    onRcptTo(address, _session, done) {
      const code = house.answer?.(address.address);
      done(code === undefined ? null : refusal(code));
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (c: Buffer) => parts.push(c));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map((r) => r.address),
          raw: Buffer.concat(parts).toString('utf8'),
        });
        done(null);
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const login = o.login ? `${o.login.user}:${o.login.password}@` : '';
  const house: MailServer = {
    port,
    url: `smtp://${login}127.0.0.1:${port}`,
    received,
    answer: undefined,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return house;
}

/** Headers of a mail, unfolded, in order. */
export const headersOf = (raw: string): string[] =>
  (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' ').split('\r\n');
