/** With the connector's slug before it still a name that clients take. */
const MAX_NAME = 60;

/** Names for operations: made of what the document calls them, each once, the same for the same document. */
export function toolNames(
  taken: Iterable<string> = [],
): (operationId: unknown, method: string, path: string) => string {
  const used = new Set([...taken].map((n) => n.toLowerCase()));
  return (operationId, method, path) => {
    const said = typeof operationId === 'string' ? legal(operationId) : '';
    const wanted = (said || legal(`${method.toLowerCase()}${path.replace(/[{}]/g, '')}`) || 'operation').slice(
      0,
      MAX_NAME,
    );
    let name = wanted;
    // Two that differ in case only are one to some clients.
    for (let n = 2; used.has(name.toLowerCase()); n++) name = `${wanted.slice(0, MAX_NAME - 5)}_${n}`;
    used.add(name.toLowerCase());
    return name;
  };
}

const legal = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/_{2,}/g, '_')
    .replace(/^[_-]+|[_-]+$/g, '');

/** An argument's name: one that models' interfaces take, and none that means something to JavaScript. */
export function argumentNames(): (name: string, otherwise: string) => string {
  const used = new Set<string>();
  return (given, otherwise) => {
    const plain = given.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, MAX_NAME) || otherwise;
    const wanted = /^_*(proto|constructor|prototype|tostring|valueof)_*$/i.test(plain) ? `arg_${plain}` : plain;
    let name = used.has(wanted) ? `${wanted}_${otherwise}` : wanted;
    for (let n = 2; used.has(name); n++) name = `${wanted}_${otherwise}_${n}`;
    used.add(name);
    return name;
  };
}
