import type { Reason } from '@gatehouse/contract/tunnel/frame.ts';
import { Problem } from '#kernel/problem.ts';
import type { Tunnel } from './tunnel.ts';

type Named = Pick<Tunnel, 'name'>;

/** Nobody is there to ask. */
export const offline = (t: Named): Problem =>
  new Problem('upstream', 'tunnels/offline', {
    says: `no agent of the tunnel “${t.name}” is connected, so nothing behind it can be reached`,
    fix: 'start one inside that network: gatehouse tunnel --url … --secret-file … --allow …',
  });

/** Agents are there, and none of them was told that it may. */
export const notAllowedThere = (t: Named, url: URL): Problem =>
  new Problem('upstream', 'tunnels/not-allowed-there', {
    says: `no connected agent of the tunnel “${t.name}” was started with --allow ${url.origin}, or with the beginning of a path that has ${url.pathname} in it`,
    fix: `start its agents with --allow ${url.origin}`,
  });

/** Agents are there, and all have as much to do as they take. */
export const busy = (t: Named): Problem =>
  new Problem('upstream', 'tunnels/busy', {
    says: `every agent of the tunnel “${t.name}” that may reach this has as many requests under way as it takes, or is about to stop`,
    fix: 'start another agent of the same tunnel',
  });

/** What an agent, or the end of its connection, made of a request. */
export function failureOf(t: Named, url: URL, { code, says }: Reason): Problem {
  switch (code) {
    case 'not_allowed':
    case 'address':
      return new Problem('upstream', 'tunnels/agent-refused', {
        says: `the agent of the tunnel “${t.name}” refuses ${url.origin}: ${says}`,
        fix: `start the agent with --allow ${url.origin} if it may be reached`,
      });
    case 'unreachable':
    case 'timeout':
      return new Problem('upstream', 'tunnels/unreachable', {
        says: `the agent of the tunnel “${t.name}” could not reach ${url.origin}: ${says}`,
        fix: 'check from the machine of the agent that the address answers',
      });
    case 'malformed':
    case 'too_large':
    case 'broken':
      return new Problem('upstream', 'tunnels/broken-answer', {
        says: `${url.origin}, behind the tunnel “${t.name}”, began an answer and did not end it as it should: ${says}`,
        fix: 'look into the log of the system there',
      });
    default:
      return new Problem('upstream', 'tunnels/agent-gone', {
        says: `the connection to the agent of the tunnel “${t.name}” ended before the answer did, and what became of the request there is not known`,
        fix: 'look whether it had its effect before it is sent again',
        because: `${code}: ${says}`,
      });
  }
}
