import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { explainOperations } from '#identity/enforcement/explain.http.ts';
import { mailLinkJob } from '#identity/mail-link/mail-link.job.ts';
import { startJobs } from '#kernel/job.ts';
import { silentLog } from '#kernel/log.ts';
import { makeMailer } from '#notify/mailer.ts';
import { sendMessageJob } from '#notify/send-message.job.ts';
import { mailDoor } from '../mail-door.ts';
import { Browser } from './browser.ts';
import { startMailServer, type MailServer } from './mail-server.ts';
import { noWords } from './no-words.ts';
import { signInHouse, type SignInHouse } from './sign-in-house.ts';

/** A house that mails sign-in links over real SMTP, with its jobs running. */
export type MailLinkHouse = SignInHouse & {
  mail: MailServer;
  allow(mailLinks: boolean): Promise<void>;
  /** Asks for a link as a person does, on the page. */
  ask(email: string, browser?: Browser): Promise<Browser>;
  /** The address in the only mail, which is then forgotten. */
  mailed(): Promise<string>;
  /** All that was asked for has been worked off. */
  idle(): Promise<void>;
};

export async function mailLinkHouse(): Promise<MailLinkHouse> {
  const h = await signInHouse({
    operations: explainOperations,
    trustedProxies: ['127.0.0.0/8', '::1/128'],
  });
  const mail = await startMailServer();
  const from = { name: 'Gatehouse', address: 'gate@acme.example' };
  const mailer = makeMailer({ host: '127.0.0.1', port: mail.port, tls: 'none', auth: undefined, from });
  const jobs = [mailLinkJob(h.world, mailDoor), sendMessageJob(h.world, mailer, noWords)];
  const runner = await startJobs(h.t.as('gatehouse_worker').pool, jobs, silentLog);
  const idle = async (): Promise<void> => {
    for (const until = Date.now() + 15_000; Date.now() < until; await sleep(30))
      if ((await h.t.super('select 1 from graphile_worker.jobs')).length === 0) return;
    assert.fail('the jobs do not end');
  };
  return {
    ...h,
    mail,
    idle,
    async allow(mailLinks) {
      const r = await h.api('PATCH', `/orgs/${h.acme.org}/access`, { mailLinks });
      assert.deepEqual([r.status, r.body['mailLinks']], [200, mailLinks], r.text);
    },
    async ask(email, browser = new Browser()) {
      await browser.open(`${h.origin}/sign-in`);
      return browser.submit('Mail me a link', { email });
    },
    async mailed() {
      await idle();
      const [m, ...more] = mail.received.splice(0);
      assert.deepEqual([more.length, m === undefined], [0, false]);
      const text = (m?.raw ?? '').replace(/=\r\n/g, '').replace(/=2E/g, '.');
      const link = /http:\/\/localhost:\d+\/sign-in\/mail\/mlk_[\w.-]+/.exec(text)?.[0];
      assert.ok(link, text);
      return link;
    },
    async [Symbol.asyncDispose]() {
      await runner.stop();
      mailer.close();
      await mail.close();
      await h[Symbol.asyncDispose]();
    },
  };
}
