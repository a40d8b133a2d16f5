/** How sure a detector can be by itself: a check digit, a fixed beginning, or only the words around it. */
export const detectorClasses = ['checksum', 'prefix', 'contextual', 'customer'] as const;
export type DetectorClass = (typeof detectorClasses)[number];
/** A hint for whoever writes policies; it decides nothing. */
export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** One thing found in folded text. `text` is its normal form (digits without gaps, upper case), so that one thing written twice is known as one. */
export type Span = { start: number; end: number; text: string };
/** A run of digits; `gap` is what stands between it and the one before, if that is short enough to belong together. */
export type Group = { from: number; to: number; gap: string | undefined };

/**
 * Where a detector looks. The gate makes one pass for each of these ways, whatever the number of detectors (gate.ts), and calls `find` with
 * what it met: a chain of digit groups, a token that begins with so many letters and so many digits, or a keyword (in any case).
 * `find` looks only near there, so that the whole is linear.
 */
export type Finds =
  | { among: 'chains'; digits: number; find(text: string, chain: readonly Group[]): readonly Span[] }
  | {
      among: 'tokens';
      letters: readonly number[];
      /** How many digits stand together there. */
      digits: readonly number[];
      find(text: string, from: number): Span | undefined;
    }
  | {
      among: 'keywords';
      keywords: readonly string[];
      /** Only where the keyword is a word by itself (isWord in keywords.ts). */
      whole?: boolean;
      find(text: string, from: number, to: number): readonly Span[];
    };

/** One thing that we can recognize in text. Declared with its proof: detectors.test.ts runs `catches` and `spares` of every detector. */
export type Detector = {
  /** Fixed for ever: it stands in policies and findings. */
  id: string;
  /** Completes "found …". */
  says: string;
  class: DetectorClass;
  severity: Severity;
  finds: readonly Finds[];
  /** Texts with exactly one. */
  catches: readonly string[];
  /** Texts that look alike and have none. */
  spares: readonly string[];
};

/** Declares a detector. */
export const detector = (id: string, d: Omit<Detector, 'id'>): Detector => ({ id, ...d });
