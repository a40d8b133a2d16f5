import { createTransport } from 'nodemailer';
import type { SmtpConfig } from './smtp.ts';

/** One mail, ready. `id` becomes its Message-ID, the same at every attempt, so that a repetition is recognized as one. */
export type Mail = { id: string; to: string; name: string; subject: string; text: string; html: string };

/** What a mail server made of it. */
export type Delivery =
  | { is: 'taken' }
  | { is: 'refused' }
  | { is: 'later'; because: 'unreachable' | 'refused_for_now'; error: unknown };

export interface Mailer {
  send(mail: Mail): Promise<Delivery>;
  close(): void;
}

/**
 * Speaks SMTP to the operator's mail server. It does not go through egress, because its address comes from the operator's configuration
 * alone. TLS is demanded unless the server is this machine (smtp.ts).
 */
export function makeMailer(config: SmtpConfig): Mailer {
  const transport = createTransport({
    pool: true,
    maxConnections: 2,
    host: config.host,
    port: config.port,
    secure: config.tls === 'from_start',
    requireTLS: config.tls === 'starttls',
    ignoreTLS: config.tls === 'none',
    ...(config.auth
      ? { auth: { type: 'login' as const, user: config.auth.user, pass: config.auth.password.reveal() } }
      : {}),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    // A mail is made of strings of ours; nothing in it may make the library read a file or a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // A pooled connection that ends while idle is replaced; without a listener it would end the process.
  transport.on('error', () => undefined);
  const host = config.from.address.slice(config.from.address.lastIndexOf('@') + 1);
  return {
    async send(mail) {
      try {
        await transport.sendMail({
          from: config.from,
          to: { name: mail.name, address: mail.to },
          // Who gets it is said apart from the header, so that no text in a header can add anybody.
          envelope: { from: config.from.address, to: [mail.to] },
          messageId: `<${mail.id}@${host}>`,
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        });
        return { is: 'taken' };
      } catch (e) {
        const code =
          e instanceof Error && 'responseCode' in e && typeof e.responseCode === 'number' ? e.responseCode : 0;
        const login = e instanceof Error && 'code' in e && e.code === 'EAUTH';
        // A wrong password is the operator's to mend, not the message's fault.
        if (code >= 500 && code < 600 && !login) return { is: 'refused' };
        return { is: 'later', because: code > 0 ? 'refused_for_now' : 'unreachable', error: e };
      }
    },
    close: () => transport.close(),
  };
}
