import type { Detector } from './detector.ts';
import { paymentCard } from './payment-card.ts';

/** Every detector there is. A new one is a file and a line here. */
export const detectors: readonly Detector[] = [paymentCard];
