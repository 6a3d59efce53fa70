import type { EndOfLife, OperatorImage, SupportedImage } from '../images/image.ts';
import {
  type ByosRules,
  type EndorsedDistribution,
  loadByos,
  loadEndOfLife,
  loadEndorsed,
  loadImages,
} from '../images/load.ts';
import { loadSizes, type VmSize } from '../sizes/size.ts';
import {
  type KekRules,
  type LegacyMethodRules,
  loadKek,
  loadLegacyMethod,
  loadMemory,
  loadRegions,
  loadSeries,
  loadSubscriptionStates,
  type MemoryRule,
  type Region,
  type SizeSeries,
  type SubscriptionRules,
} from './load.ts';

/** All that the checks know besides the facts: the data files, and what the operator has added. */
export interface SupportRules {
  readonly images: readonly SupportedImage[];
  readonly operatorImages: readonly OperatorImage[];
  readonly endOfLife: readonly EndOfLife[];
  readonly endorsed: readonly EndorsedDistribution[];
  readonly byos: ByosRules;
  readonly sizes: readonly VmSize[];
  readonly series: readonly SizeSeries[];
  readonly memory: readonly MemoryRule[];
  readonly legacyMethod: LegacyMethodRules;
  readonly kek: KekRules;
  readonly regions: readonly Region[];
  readonly subscriptionStates: SubscriptionRules;
}

/** What a configuration may add to the data. */
export interface SupportAdditions {
  readonly images: readonly OperatorImage[];
  /** Names of regions, e.g. of one's own data centre. */
  readonly regions: readonly string[];
}

let builtIn: SupportRules | undefined;

/**
 * The rules, with an operator's additions.
 * The data files are read and checked on the first call; a wrong one is a bug of this package, not of its caller.
 */
export function supportRules(additions: SupportAdditions = { images: [], regions: [] }): SupportRules {
  builtIn ??= {
    images: loadImages(),
    operatorImages: [],
    endOfLife: loadEndOfLife(),
    endorsed: loadEndorsed(),
    byos: loadByos(),
    sizes: loadSizes(),
    series: loadSeries(),
    memory: loadMemory(),
    legacyMethod: loadLegacyMethod(),
    kek: loadKek(),
    regions: loadRegions(),
    subscriptionStates: loadSubscriptionStates(),
  };
  return {
    ...builtIn,
    operatorImages: additions.images,
    regions: [...builtIn.regions, ...additions.regions.map((name) => ({ name, displayName: name }))],
  };
}

/** A size by name, ignoring letter case; undefined where it is not known (REQ-014). */
export function findSize(rules: SupportRules, name: string): VmSize | undefined {
  const wanted = name.trim().toLowerCase();
  return rules.sizes.find((size) => size.name.toLowerCase() === wanted);
}
