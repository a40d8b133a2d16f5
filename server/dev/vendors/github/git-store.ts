import { createHash } from 'node:crypto';

export type GitObject = { type: 'blob' | 'tree' | 'commit'; data: Buffer };
export type GitEntry = { mode: '100644' | '100755' | '120000' | '160000' | '040000'; name: string; sha: string };
export type GitCommit = { tree: string; parents: string[]; message: string; author: string; date: string };
/** A file as a test writes it: a text, a link, a submodule, or nothing any more. */
export type Content = string | Buffer | { link: string } | { submodule: string } | { executable: string } | null;

/** Objects of git with their real names: what two repositories of one network share. */
export class GitStore {
  readonly objects = new Map<string, GitObject>();

  write(type: GitObject['type'], data: Buffer): string {
    const sha = createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex');
    this.objects.set(sha, { type, data });
    return sha;
  }

  read(sha: string, type: GitObject['type']): Buffer | undefined {
    const found = this.objects.get(sha);
    return found?.type === type ? found.data : undefined;
  }

  tree(sha: string): GitEntry[] {
    const data = this.read(sha, 'tree');
    if (!data) throw new Error(`no tree ${sha}`);
    const entries: GitEntry[] = [];
    for (let at = 0; at < data.length;) {
      const space = data.indexOf(0x20, at);
      const nul = data.indexOf(0, space);
      const mode = data.subarray(at, space).toString().padStart(6, '0') as GitEntry['mode'];
      entries.push({
        mode,
        name: data.subarray(space + 1, nul).toString('utf8'),
        sha: data.subarray(nul + 1, nul + 21).toString('hex'),
      });
      at = nul + 21;
    }
    return entries;
  }

  writeTree(entries: readonly GitEntry[]): string {
    const order = (e: GitEntry): Buffer => Buffer.from(e.mode === '040000' ? `${e.name}/` : e.name);
    const sorted = [...entries].sort((a, b) => Buffer.compare(order(a), order(b)));
    return this.write(
      'tree',
      Buffer.concat(
        sorted.map((e) =>
          Buffer.concat([Buffer.from(`${e.mode.replace(/^0/, '')} ${e.name}\0`), Buffer.from(e.sha, 'hex')]),
        ),
      ),
    );
  }

  commit(sha: string): GitCommit | undefined {
    const text = this.read(sha, 'commit')?.toString('utf8');
    if (text === undefined) return undefined;
    const end = text.indexOf('\n\n');
    const head = text.slice(0, end).split('\n');
    const of = (key: string): string[] =>
      head.filter((l) => l.startsWith(`${key} `)).map((l) => l.slice(key.length + 1));
    const [, author = '', at = '0'] = /^(.*) <[^>]*> (\d+)/.exec(of('author')[0] ?? '') ?? [];
    return {
      tree: of('tree')[0] ?? '',
      parents: of('parent'),
      message: text.slice(end + 2),
      author,
      date: new Date(Number(at) * 1000).toISOString().replace('.000', ''),
    };
  }

  writeCommit(c: { tree: string; parents: readonly string[]; message: string; author: string; at: Date }): string {
    const who = `${c.author} <${c.author}@acme.example> ${Math.floor(c.at.getTime() / 1000)} +0000`;
    return this.write(
      'commit',
      Buffer.from(
        [
          `tree ${c.tree}`,
          ...c.parents.map((p) => `parent ${p}`),
          `author ${who}`,
          `committer ${who}`,
          '',
          c.message,
        ].join('\n'),
      ),
    );
  }

  /** Every file below a tree by its path; folders are not in it. */
  files(tree: string, prefix = ''): Map<string, GitEntry> {
    const all = new Map<string, GitEntry>();
    for (const e of this.tree(tree)) {
      if (e.mode === '040000') for (const [p, f] of this.files(e.sha, `${prefix}${e.name}/`)) all.set(p, f);
      else all.set(prefix + e.name, e);
    }
    return all;
  }

  /** A tree with changes; `entries` that are null go. */
  changed(tree: string | undefined, changes: ReadonlyMap<string, Omit<GitEntry, 'name'> | null>): string {
    const here = new Map((tree === undefined ? [] : this.tree(tree)).map((e) => [e.name, e]));
    const below = new Map<string, Map<string, Omit<GitEntry, 'name'> | null>>();
    for (const [path, to] of changes) {
      const slash = path.indexOf('/');
      if (slash < 0) {
        if (to) here.set(path, { ...to, name: path });
        else here.delete(path);
        continue;
      }
      const name = path.slice(0, slash);
      const inside = below.get(name) ?? new Map<string, Omit<GitEntry, 'name'> | null>();
      inside.set(path.slice(slash + 1), to);
      below.set(name, inside);
    }
    for (const [name, inside] of below) {
      const before = here.get(name);
      const sha = this.changed(before?.mode === '040000' ? before.sha : undefined, inside);
      if (this.tree(sha).length === 0) here.delete(name);
      else here.set(name, { mode: '040000', name, sha });
    }
    return this.writeTree([...here.values()]);
  }

  entryOf(content: Content): Omit<GitEntry, 'name'> | null {
    if (content === null) return null;
    if (typeof content === 'string' || Buffer.isBuffer(content))
      return { mode: '100644', sha: this.write('blob', Buffer.from(content)) };
    if ('link' in content) return { mode: '120000', sha: this.write('blob', Buffer.from(content.link)) };
    if ('submodule' in content) return { mode: '160000', sha: content.submodule };
    return { mode: '100755', sha: this.write('blob', Buffer.from(content.executable)) };
  }
}
