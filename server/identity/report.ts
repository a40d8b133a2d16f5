import type { Need, Reporter } from '#kernel/report.ts';
import { listEndingCertificates } from './saml/connection.sql.ts';
import { DAY_MS, WARN_DAYS } from './saml/connection.ts';
import { listStandings } from './report.sql.ts';

/** Certificates shown one by one; more than these end together only where somebody let them. */
const MOST = 20;
const page = '/identity/sign-in';

/** How signing in stands: connections to identity providers and their certificates. */
export const identityReport: Reporter = {
  room: 'identity',
  can: 'sso.manage',
  async report(ctx, db) {
    const connections = await listStandings(db);
    const soon = new Date(ctx.now.getTime() + WARN_DAYS[0] * DAY_MS);
    const certificates = await listEndingCertificates(db, soon, MOST);
    const tested = connections.find((c) => c.tested !== null);
    const needs: Need[] = [
      ...certificates
        // Another one that lasts longer takes over by itself.
        .filter((k) => k.others === 0)
        .map((k): Need => {
          const ended = k.notAfter <= ctx.now;
          return {
            code: ended ? 'identity.certificate_ended' : 'identity.certificate_ending',
            urgency: ended ? 'broken' : 'breaks',
            says: `The signing certificate of ${k.name} ${ended ? 'has expired' : 'expires soon'}`,
            more: ended
              ? 'What it signs is believed only as long as the connection says so.'
              : 'Add the next one now; both work side by side until then.',
            count: 1,
            since: ended ? k.notAfter : null,
            until: ended ? null : k.notAfter,
            act: 'Add a certificate',
            page,
          };
        }),
      ...connections
        .filter((c) => c.metadataProblem !== null)
        .map((c): Need => ({
          code: 'identity.metadata_failed',
          urgency: 'breaks',
          says: `The metadata of ${c.name} could not be read again`,
          more: `${c.metadataProblem}. A change of its keys would be missed.`,
          count: 1,
          since: null,
          until: null,
          act: 'Open the connection',
          page,
        })),
    ];
    return {
      steps: [
        {
          code: 'identity.tested',
          name: 'Sign-in tested',
          done: tested !== undefined,
          says: tested?.name ?? 'Lets people sign in where they sign in to everything else',
          act: 'Connect an identity provider',
          page,
          first: { log: 'parent', types: ['sso.test_finished', 'session.opened'] },
        },
      ],
      needs,
      fine: connections.flatMap((c) =>
        c.tested && c.metadataProblem === null
          ? [{ says: `Sign-in, ${c.name}`, more: 'last came through', at: c.tested }]
          : [],
      ),
    };
  },
};
