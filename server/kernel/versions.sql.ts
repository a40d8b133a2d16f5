/** Statements of the listening connection, which is its own and not of the pool. */
export const listenStatement = 'listen gatehouse_version';
export const versionsStatement = {
  name: 'versions',
  text: 'select scope, version::text as version from scope_version where scope = any($1::text[])',
};
