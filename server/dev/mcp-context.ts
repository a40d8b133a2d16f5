import type { ProgressToken, ServerContext } from '@modelcontextprotocol/server';

/** What the client wants progress to be tagged with; undefined: it wants none. */
export function progressTokenOf(ctx: ServerContext): ProgressToken | undefined {
  const { _meta: meta } = ctx.mcpReq;
  return meta?.progressToken;
}
