import type { DomainNews, Herald } from '#domains/herald.ts';
import type { TellEnding } from '#identity/saml/warn-certificates.ts';
import type { Message } from '#notify/messages.ts';
import { enqueueNews } from './herald-jobs.ts';

/** Carries the news of domains to people by mail. Only enqueues, in the transaction that makes the news. */
export const mailHerald: Herald = {
  tell: (tx, ctx, news) => enqueueNews(tx, { parent: ctx.parent, to: news.to, about: messageOf(news) }),
};

/** Carries the end of certificates to the owners. */
export const mailEnding: TellEnding = (tx, { parent, connection, fingerprint, days }) =>
  enqueueNews(tx, { parent, to: 'owners', about: { kind: 'certificate_ending', connection, fingerprint, days } });

function messageOf(n: DomainNews): Message {
  switch (n.kind) {
    case 'failing':
      return { kind: 'domain_failing', domain: n.domain, day: n.day };
    case 'verified':
    case 'recovered':
    case 'lapsed':
    case 'conflict':
      return { kind: `domain_${n.kind}`, domain: n.domain };
    case 'capture_announced':
    case 'capture_reminder':
    case 'capture_in_force':
      return { kind: n.kind, capture: n.capture };
  }
}
