import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scim } from './scim-commands.ts';
import type { Terminal } from './run-scim.ts';

/** What a command said in a test. */
export type Said = { status: number; out: string; err: string; json: any }; // oxlint-disable-line typescript/no-explicit-any -- tests look into JSON

export type Console = {
  dir: string;
  file(name: string, content: unknown): string;
  /** Runs a command against the target, with --json. */
  run(verb: 'sync' | 'plan' | 'apply' | 'grant' | 'revoke', ...args: string[]): Promise<Said>;
  /** Waits that a command made, in milliseconds. None of them took any time. */
  slept: number[];
  /** Arguments that every command gets. */
  common: string[];
  /** Moves the clock. */
  later(ms: number): void;
  close(): void;
};

/** A terminal for tests: in this process, with a clock that jumps over each wait. `jumps` is told, for a target whose time goes along. */
export function testConsole(
  target: { url: string; token: string },
  jumps: (ms: number) => void = () => undefined,
): Console {
  const dir = mkdtempSync(join(tmpdir(), 'scim-'));
  const slept: number[] = [];
  const file = (name: string, content: unknown): string => {
    const path = join(dir, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
    return path;
  };
  const common = ['--url', target.url, '--token-env', 'SCIM_TOKEN', '--allow-private', '127.0.0.1', '--json'];
  let now = Date.parse('2026-08-01T09:00:00Z');
  return {
    dir,
    file,
    slept,
    common,
    async run(verb, ...args) {
      const [out, err]: [string[], string[]] = [[], []];
      const terminal: Terminal = {
        out: (line) => void out.push(line),
        err: { write: (text) => void err.push(text) },
        environment: { SCIM_TOKEN: target.token },
        timers: {
          now: () => now,
          sleep: async (ms) => {
            slept.push(ms);
            now += ms;
            jumps(ms);
          },
          random: () => 0.5,
        },
      };
      const status = await scim(verb, [...common, ...args], terminal);
      const text = out.join('\n');
      return { status, out: text, err: err.join(''), json: text.startsWith('{') ? JSON.parse(text) : undefined };
    },
    later: (ms) => void (now += ms),
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
