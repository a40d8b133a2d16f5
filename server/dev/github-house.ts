import type { TestContext } from 'node:test';
import type { ToolAnswer } from '#connectors/kit/builtin-tool.ts';
import { github } from '#connectors/vendors/github/manifest.ts';
import type { Access, Settings } from '#vault/vendor-auth.ts';
import { startGitHub, type GitHubStandIn } from './vendors/github.ts';
import { inHand, type InHand } from './vendors/in-hand.ts';

/** As whom: the visitor of the stand-in's consent page, or the app that is installed. */
export type As = { actAs?: 'person' | 'organization'; access?: Access; settings?: Settings };

/** A stand-in of GitHub, and its tools in hand as anybody who is asked for. */
export type GitHubHouse = {
  hub: GitHubStandIn;
  as(o?: As): Promise<InHand>;
  call(tool: string, args: object, o?: As): Promise<ToolAnswer & { text: string }>;
};

export async function githubHouse(t: TestContext): Promise<GitHubHouse> {
  const hub = await startGitHub();
  t.after(() => hub.close());
  const hands = new Map<string, Promise<InHand>>();
  const as: GitHubHouse['as'] = ({ actAs, access, settings } = {}) => {
    const key = JSON.stringify([hub.visitor.account, actAs, access, settings]);
    const hand =
      hands.get(key) ??
      inHand(t, github, hub, {
        ...(access ? { access } : {}),
        ...(settings ? { settings } : {}),
        ...(actAs === 'organization' ? { account: 'app_installation' } : {}),
      });
    hands.set(key, hand);
    return hand;
  };
  return {
    hub,
    as,
    async call(tool, args, o) {
      const answer = await (await as(o)).run(tool, args);
      return { ...answer, text: answer.content.map((c) => (c.type === 'text' ? c.text : '')).join('\n') };
    },
  };
}
