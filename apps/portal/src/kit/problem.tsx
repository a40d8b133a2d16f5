import { Button } from '@mantine/core';
import type { Refusal } from '@gatehouse/client/call.ts';
import { Glyph } from '@gatehouse/ui/glyphs.tsx';
import { Hash } from '@gatehouse/ui/parts.tsx';
import c from './problem.module.css';

/** A clause of a refusal as a sentence: refusals are written to be joined, pages to be read. */
export const sentence = (clause: string): string =>
  `${clause.slice(0, 1).toUpperCase()}${clause.slice(1)}${/[.?)!]$/.test(clause) ? '' : '.'}`;

/** A refusal where it happened: what was found, what to do next, and the number to quote. Announced at once. */
export const Problem = ({ of, again }: { of: Refusal | undefined; again?: () => void }) =>
  of && (
    <section className={`${c.problem} gh-tone gh-negative`} role="alert">
      <Glyph name="broken" />
      <div>
        <p>
          <b>{sentence(of.says)}</b>
        </p>
        {of.fix && <p className="gh-2">{sentence(of.fix)}</p>}
        <p className="gh-xs gh-3 gh-line gh-wrap">
          <span className="gh-id">{of.code}</span>
          {of.request && (
            <Hash label="number of the request" head={40}>
              {of.request}
            </Hash>
          )}
        </p>
        {again && (
          <div className="gh-actions">
            <Button size="sm" onClick={again}>
              Try again
            </Button>
          </div>
        )}
      </div>
    </section>
  );
