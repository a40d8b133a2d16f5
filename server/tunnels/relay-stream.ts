import type { RequestHead } from '@gatehouse/contract/tunnel/frame.ts';
import { Refused } from '@gatehouse/contract/tunnel/frame.ts';
import type { Ear, Line, Stream } from '@gatehouse/contract/tunnel/line.ts';

/** Said by a node that has no agent for a request, or none that is free: nothing of it was sent to anybody, so another node may be asked. */
export const NO_AGENT = 'node_without_agent';

/**
 * Hands a request that came from another node on to an agent of this one. What one side takes is what the other may send, so of both
 * directions no more is here than their windows. INVARIANT (nobody is asked twice): only a node may say NO_AGENT; an agent that says so, which
 * would have its request sent again elsewhere, is not believed.
 */
export function relayStream(from: Stream, agent: Line, head: RequestHead): Ear {
  let owedUp = 0;
  let owedDown = 0;
  let up: Stream;
  try {
    up = agent.request(
      { method: head.method, url: head.url, headers: head.headers },
      {
        head: (h) => from.head(h),
        data(bytes) {
          if (from.write(bytes)) up.took(bytes.length);
          else owedUp += bytes.length;
        },
        end: () => from.end(),
        drain() {
          from.took(owedDown);
          owedDown = 0;
        },
        reset: (r) => from.reset(r.code === NO_AGENT ? { ...r, code: 'broken' } : r),
      },
    );
  } catch (e) {
    const busy = e instanceof Refused && e.reason.code === 'busy';
    from.reset(
      busy
        ? { code: NO_AGENT, says: 'the agent is busy' }
        : e instanceof Refused
          ? e.reason
          : { code: 'broken', says: 'the request could not be handed on' },
    );
    return { head() {}, data() {}, end() {}, drain() {}, reset() {} };
  }
  return {
    head() {},
    data(bytes) {
      if (up.write(bytes)) from.took(bytes.length);
      else owedDown += bytes.length;
    },
    end: () => up.end(),
    drain() {
      up.took(owedUp);
      owedUp = 0;
    },
    reset: (r) => up.reset(r),
  };
}
