/** What a volume with a random key is found by, in its journal. */
export interface RandomKeyRecord {
  /**
   * UUID of the mark: a tiny ext2 in the first MiB, there for nothing but its UUID. The boot destroys what lies on the device that it
   * finds, so it must not find another one. null: a temporary disk, which changes by nature and is found by its role.
   */
  readonly markUuid: string | null;
  /** Where the encrypted part begins on the device, bytes. */
  readonly offsetBytes: number;
}

/** The mark, and what keeps what follows aligned. */
export const markBytes = 1024 * 1024;
