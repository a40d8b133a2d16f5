import { findApproval } from '#approvals/approval.sql.ts';
import { connectionDigest, connectionWords } from '#connectors/connections/connection-words.ts';
import { findConnector, listConnectorsThrough } from '#connectors/connector.sql.ts';
import { findCapture } from '#domains/capture.sql.ts';
import { findDomain } from '#domains/domain.sql.ts';
import { shownDomain } from '#domains/shown-domain.ts';
import { findSamlConnection, listCertificates } from '#identity/saml/connection.sql.ts';
import type { Words } from '#notify/words.ts';
import { parseId } from '#kernel/id.ts';
import { findUser } from '#org/user.sql.ts';
import { findOrg } from '#org/org.sql.ts';
import { findTunnel } from '#tunnels/tunnel.sql.ts';
import { countHeld } from '#provisioning/removal.sql.ts';

/** What mails tell of rooms beside the room of mails, as it is when they go out. */
export const words: Words = {
  async domain(db, id) {
    const d = await findDomain(db, id);
    const shown = d && shownDomain(d);
    return shown && { name: shown.shown, state: shown.state, says: shown.says, fix: shown.fault?.fix ?? null };
  },
  async capture(db, id) {
    const c = await findCapture(db, id);
    const org = c && (await findOrg(db, c.org));
    return c && org && { name: c.name, org: org.name, state: c.state, endsAt: c.endsAt };
  },
  async certificate(db, connection, fingerprint) {
    const c = await findSamlConnection(db, connection);
    const all = await listCertificates(db, connection);
    const k = all.find((x) => x.fingerprint === fingerprint);
    return (
      c &&
      k && {
        connection: c.name,
        subject: k.subject,
        notAfter: k.notAfter,
        last: !all.some((o) => o.notAfter > k.notAfter),
      }
    );
  },
  async approval(db, id) {
    const a = await findApproval(db, id);
    if (a?.state !== 'pending') return undefined;
    const asker = await findUser(db, a.asker.user);
    const connector = parseId('con', a.action.connector);
    const name = connector && (await findConnector(db, connector))?.name;
    return {
      asker: asker?.displayName ?? a.asker.user,
      tool: a.action.tool,
      connector: name ?? a.action.connector,
      class: a.class,
      until: a.expires,
    };
  },
  connection: connectionWords,
  connections: connectionDigest,
  async tunnel(db, id) {
    const t = await findTunnel(db, id);
    const connectors = await listConnectorsThrough(db, id);
    if (t?.told !== 'offline' || t.revoked || connectors.length === 0) return undefined;
    return { name: t.name, since: t.lastSeen ?? t.created, connectors: connectors.map((c) => c.slug) };
  },
  held: countHeld,
};
