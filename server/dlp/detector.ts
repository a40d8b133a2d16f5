/** One thing that we can recognize in text. Declared with its proof: detectors.test.ts runs `catches` and `spares` of every detector. */
export type Detector = {
  /** Fixed for ever: it stands in policies and findings. */
  id: string;
  /** Completes "found …". */
  says: string;
  /** How many there are in folded text (fold.ts). Linear in its length, whatever the text is. */
  count(folded: string): number;
  /** Texts with exactly one. */
  catches: readonly string[];
  /** Texts that look alike and have none. */
  spares: readonly string[];
};

/** Declares a detector. */
export const detector = (id: string, d: Omit<Detector, 'id'>): Detector => ({ id, ...d });
