/** A VM as the server knows it. */
export interface Vm {
  /** GUID; also the subject of its agent's certificate. */
  readonly id: string;
  readonly resourceGroup: string;
  readonly name: string;
  /** Its name on the host. */
  readonly hostName: string;
  /** `creating` and `deleting` are left behind by a crash only, and put right at the next start of the server. */
  readonly state: 'creating' | 'ready' | 'deleting';
  readonly model: VmModel;
  /** vfat volume id of its key volume, `XXXX-XXXX`: the same for its whole life, because mount units name it. */
  readonly keyVolumeId: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface VmModel {
  readonly location: string;
  readonly zone: string | null;
  /** Name on the host. */
  readonly image: string;
  /** `PUBLISHER:OFFER:SKU:VERSION` */
  readonly imageUrn: string;
  readonly size: string;
  readonly memoryMib: number;
  readonly cpus: number;
  readonly dataDisks: readonly VmDataDisk[];
}

export interface VmDataDisk {
  readonly lun: number;
  readonly name: string;
  readonly sizeGb: number;
  /** What the guest sees as the disk's serial number. */
  readonly serial: string;
}

/** How people name a VM. */
export interface VmName {
  readonly resourceGroup: string;
  readonly name: string;
}
