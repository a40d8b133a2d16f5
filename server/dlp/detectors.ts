import type { Detector } from './detector.ts';
import { paymentCard } from './detectors/payment-card.ts';

/** Every detector that we bring. A new one is a line in a file of its family; a new family is a line here. */
export const detectors: readonly Detector[] = [paymentCard];
