import { VendorRefusal, type VendorClient } from './vendor-client.ts';

/**
 * Says hello to a vendor's own MCP server: the cheapest question that proves a credential where the vendor has no other. The answer may be a stream;
 * that it came is what counts.
 */
export async function greetMcp(vendor: VendorClient, at: string, path: string): Promise<void> {
  const answer = await vendor.send({
    method: 'POST',
    at,
    path,
    safe: true,
    headers: { accept: 'application/json, text/event-stream' },
    json: {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'gatehouse', version: '0.1.0' },
      },
    },
  });
  if (!answer.bytes.includes('"result"'))
    throw new VendorRefusal(answer.status, 'not_mcp', 'the MCP server does not answer a greeting as one does');
}
