// The rule stands in the contract, because the portal shows the same text and imports nothing of the server.
export { codePoint, visible } from '@gatehouse/contract/visible.ts';
