import { Problem } from '#kernel/problem.ts';
import { MAX_RUNS, runsOf, textRuns, type Run, type Writing } from './rich-text.ts';

/** A block as Notion takes it, with at most two levels of children in one request. */
export type NewBlock = { object: 'block'; type: string; [type: string]: unknown };

/** Notion takes no more blocks in one request. */
export const BLOCKS_A_REQUEST = 100;
/** What one call writes at most: five requests. */
const MAX_BLOCKS = 500;
/** Levels of lists; what is deeper stands on the last. */
const MAX_NESTING = 2;

const languages = new Set(
  'bash c c# c++ css diff docker elixir go graphql haskell html java javascript json kotlin lua makefile markdown mermaid perl php powershell python r ruby rust scala shell sql swift typescript xml yaml'.split(
    ' ',
  ),
);
const aliases: Readonly<Record<string, string>> = {
  js: 'javascript',
  ts: 'typescript',
  py: 'python',
  sh: 'shell',
  yml: 'yaml',
  md: 'markdown',
  rb: 'ruby',
  rs: 'rust',
  dockerfile: 'docker',
  cpp: 'c++',
  cs: 'c#',
  golang: 'go',
};

/**
 * Markdown as blocks: headings, paragraphs, lists, tasks, quotes, code and rules. What is none of these is a paragraph with its characters as they
 * are. No block of ours shows or embeds anything from elsewhere.
 */
export function blocksOf(markdown: string, w: Writing): NewBlock[] {
  const top: NewBlock[] = [];
  const open: { indent: number; children: NewBlock[] }[] = [];
  let count = 0;
  const lines = markdown.replace(/\r\n?/g, '\n').split('\n');
  const block = (type: string, runs: Run[], more: Record<string, unknown> = {}): NewBlock => {
    if (++count > MAX_BLOCKS)
      throw new Problem('too_large', 'connectors/notion-too-much', {
        says: `the text is more than ${MAX_BLOCKS} paragraphs and list items`,
        fix: 'write it in several calls of append_blocks',
      });
    if (runs.length > MAX_RUNS)
      throw new Problem('too_large', 'connectors/notion-too-much', {
        says: `one paragraph has more than ${MAX_RUNS} links and styled words, or is longer than ${MAX_RUNS * 2000} characters`,
        fix: 'break it into several paragraphs',
      });
    return { object: 'block', type, [type]: { rich_text: runs, ...more } };
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const [, fence, info] = /^\s{0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/.exec(line) ?? [];
    if (fence !== undefined) {
      const code: string[] = [];
      while (
        ++i < lines.length &&
        !new RegExp(`^\\s{0,3}${fence[0] ?? ''}{${fence.length},}\\s*$`).test(lines[i] ?? '')
      )
        code.push(lines[i] ?? '');
      const language = aliases[(info ?? '').toLowerCase()] ?? (info ?? '').toLowerCase();
      open.length = 0;
      top.push(
        block('code', textRuns(code.join('\n')), { language: languages.has(language) ? language : 'plain text' }),
      );
      continue;
    }
    if (line.trim() === '') continue;
    const [, hashes, heading] = /^(#{1,6})\s+(.*)$/.exec(line) ?? [];
    const [, quote] = /^\s{0,3}>\s?(.*)$/.exec(line) ?? [];
    const [, blanks = '', mark, item] = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/.exec(line) ?? [];
    if (/^\s{0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      open.length = 0;
      count++;
      top.push({ object: 'block', type: 'divider', divider: {} });
    } else if (mark !== undefined) {
      const indent = blanks.replaceAll('\t', '    ').length;
      while (open.length > 0 && (open.at(-1)?.indent ?? 0) >= indent) open.pop();
      const [, box, task] = /^\[([ xX])\]\s+(.*)$/.exec(item ?? '') ?? [];
      const made =
        box !== undefined
          ? block('to_do', runsOf(task ?? '', w), { checked: box !== ' ' })
          : block(/\d/.test(mark) ? 'numbered_list_item' : 'bulleted_list_item', runsOf(item ?? '', w));
      const parent = open[Math.min(open.length, MAX_NESTING) - 1];
      (parent?.children ?? top).push(made);
      open.push({ indent, children: childrenOf(made) });
    } else {
      open.length = 0;
      if (hashes !== undefined)
        top.push(block(`heading_${Math.min(hashes.length, 3)}`, runsOf(withoutClosing(heading ?? ''), w)));
      else if (quote !== undefined) top.push(block('quote', runsOf(quote, w)));
      else top.push(block('paragraph', runsOf(line.trim(), w)));
    }
  }
  return top.map(withoutEmpty);
}

/** The list that children of a block go into. */
function childrenOf(made: NewBlock): NewBlock[] {
  const children: NewBlock[] = [];
  Object.assign(made[made.type] ?? {}, { children });
  return children;
}

/** Notion refuses an empty list of children. */
function withoutEmpty(b: NewBlock): NewBlock {
  const { children, ...rest } = b[b.type] as { children?: NewBlock[] };
  return { ...b, [b.type]: children && children.length > 0 ? { ...rest, children: children.map(withoutEmpty) } : rest };
}

/** A heading may end with as many of its signs as its writer liked. */
function withoutClosing(heading: string): string {
  let end = heading.trimEnd().length;
  while (heading[end - 1] === '#') end--;
  return heading.slice(0, end).trimEnd();
}
