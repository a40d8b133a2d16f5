import type { Detector } from './detector.ts';
import { asia } from './detectors/asia.ts';
import { bitcoinAddress } from './detectors/bitcoin.ts';
import { britain } from './detectors/britain.ts';
import { iban } from './detectors/iban.ts';
import { keys } from './detectors/keys.ts';
import { markings } from './detectors/markings.ts';
import { northAmerica } from './detectors/north-america.ts';
import { northAndEastEurope } from './detectors/north-and-east-europe.ts';
import { paymentCard } from './detectors/payment-card.ts';
import { personal } from './detectors/personal.ts';
import { secrets } from './detectors/secrets.ts';
import { south } from './detectors/south.ts';
import { westEurope } from './detectors/west-europe.ts';

/** Every detector that we bring. A new one is a declaration in the file of its family; a new family is a line here. */
export const detectors: readonly Detector[] = [
  paymentCard,
  iban,
  ...northAmerica,
  ...britain,
  ...westEurope,
  ...northAndEastEurope,
  ...asia,
  ...south,
  bitcoinAddress,
  ...secrets,
  ...keys,
  ...personal,
  ...markings,
];
