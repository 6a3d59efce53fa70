import type { Generation } from './images/image.ts';

export const volumeTypes = ['OS', 'DATA', 'ALL'] as const;
/** What is to be encrypted, in the words of `az vm encryption enable --volume-type`. */
export type VolumeType = (typeof volumeTypes)[number];

/** `new`: the agent works without directory credentials. `legacy`: the earlier method, with Microsoft Entra credentials. */
export type Method = 'new' | 'legacy';

/**
 * What the checks look at. Everything but the volume type may be left out: a check runs where its facts are there, so the
 * command line, the server and the agent ask with what each of them knows.
 */
export interface SupportFacts {
  readonly volumeType: VolumeType;
  readonly target?: 'vm' | 'flexible-scale-set' | 'uniform-scale-set' | undefined;
  /** URN `Publisher:Offer:Sku:Version`, or the resource id of a custom image. */
  readonly urn?: string | undefined;
  /** ARM name of the size; letter case does not count. */
  readonly size?: string | undefined;
  /** Memory of the VM, MiB, where it is not that of the size: a size of our own, or one that is not in the table. */
  readonly memoryMib?: number | undefined;
  readonly generation?: Generation | undefined;
  /** Space used on `/`, GB; not the size of the disk (REQ-025). */
  readonly rootUsedGb?: number | undefined;
  /** State of the OS volume: a word of the agent's status, e.g. `Encrypted`. */
  readonly osState?: string | undefined;
  /** The Red Hat subscription of a bring-your-own-subscription image has been registered. */
  readonly byosRegistered?: boolean | undefined;
  readonly method?: Method | undefined;
  /** Method that this VM was encrypted with before; null = never. */
  readonly encryptedBy?: Method | null | undefined;
  /** Major version of the VM's default Python, where it is known better than from the image. */
  readonly pythonMajor?: number | undefined;
  /** Premium OS or data disks. */
  readonly premium?: boolean | undefined;
  /** Today, `YYYY-MM-DD`. */
  readonly date?: string | undefined;
  /** Availability zone. No check looks at it: zoned and unzoned VMs are the same here (REQ-006). */
  readonly zone?: string | undefined;
  readonly subscriptionState?: string | undefined;
  readonly vmRegion?: string | undefined;
  readonly vaultRegion?: string | undefined;
  readonly vmSubscription?: string | undefined;
  readonly vaultSubscription?: string | undefined;
  /** False: no vault was named. */
  readonly vaultGiven?: boolean | undefined;
  /** Key type of the KEK (`RSA`, `RSA-HSM`, `EC`, …); left out where there is no KEK, which is allowed (REQ-069). */
  readonly kekKind?: string | undefined;
  readonly kekBits?: number | undefined;
}
