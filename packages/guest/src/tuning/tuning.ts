/** Ciphers that a volume may be made with; the first is the default everywhere (REQ-152: AES with a 256-bit key). */
export const ciphers = ['aes-xts-plain64', 'xchacha20,aes-adiantum-plain64'] as const;
export type Cipher = (typeof ciphers)[number];

/** How dm-crypt is to work on a volume: what lies on the disk for ever, and two flags that can be changed at any time. */
export interface Tuning {
  readonly cipher: Cipher;
  /** As cryptsetup counts: 512 for AES-256 in XTS, which has two keys. */
  readonly keyBits: 512 | 256;
  readonly sectorSize: 512 | 4096;
  /** Decrypt where the read completes, not in a work queue; Linux 5.9, dm-crypt's `no_read_workqueue`. */
  readonly noReadWorkqueue: boolean;
  /** Encrypt where the write is submitted; Linux 5.9, dm-crypt's `no_write_workqueue`. */
  readonly noWriteWorkqueue: boolean;
}

const keyBits: Readonly<Record<Cipher, Tuning['keyBits']>> = {
  'aes-xts-plain64': 512,
  'xchacha20,aes-adiantum-plain64': 256,
};

/** What cryptsetup itself would do, with the sector size that fits: the tuning where nothing could be measured. */
export function plainTuning(sectorSize: Tuning['sectorSize'], cipher: Cipher = 'aes-xts-plain64'): Tuning {
  return { cipher, keyBits: keyBits[cipher], sectorSize, noReadWorkqueue: false, noWriteWorkqueue: false };
}
