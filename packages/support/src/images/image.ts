import type { Urn } from './urn.ts';

export const volumeKinds = ['os-and-data', 'data-only'] as const;
/** Which volumes of an image's VMs may be encrypted. */
export type VolumeKinds = (typeof volumeKinds)[number];

export const generations = ['V1', 'V2'] as const;
/** Hyper-V generation of a VM or an image. */
export type Generation = (typeof generations)[number];

/** An image whose disks may be encrypted. */
export interface SupportedImage {
  /** `latest` as version stands for every version. */
  readonly urn: Urn;
  readonly volumes: VolumeKinds;
  readonly distribution: string;
  /** The distribution's own number: `22.04`, `8.4`, `9`; a single number is a whole major release. */
  readonly release: string;
  readonly generation: Generation;
  /** Major version of the Python that scripts of the image get by default. */
  readonly pythonDefault: number;
  /** Earliest image version, `YYYY-MM` (REQ-032). */
  readonly versionFrom?: string;
  /** Words of the published table. */
  readonly plan: string;
  readonly label: string;
  /** Bring your own subscription (REQ-034). */
  readonly byos: boolean;
}

/**
 * An image that the operator of this installation vouches for, from the configuration. It is taken as it is: neither the
 * table nor the publisher's end of life counts for it, only the end that is given here.
 */
export interface OperatorImage {
  /** URN or resource id, as in the configuration. Version `latest` stands for every version. */
  readonly urn: string;
  readonly volumes: VolumeKinds;
  /** Why it is allowed; shown with every check. */
  readonly reason: string;
  readonly endOfLife?: string;
}

/** Last day of a publisher's support for some SKUs of an offer (REQ-035). */
export interface EndOfLife {
  readonly publisher: string;
  readonly offer: string;
  readonly skus: readonly string[];
  readonly what: string;
  readonly endOfLife: string;
  readonly basis: string;
  readonly source: string;
}
