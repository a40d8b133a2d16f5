/** Statements of the listening connection, which is its own and not of the pool. */
export const listenStatement = 'listen gatehouse_version';
export const versionsStatement = {
  name: 'versions',
  text: `select scope, sum(version)::text as version
           from (select scope, version from scope_version union all select scope, version from scope_bump) v
          where scope = any($1::text[]) group by scope`,
};
