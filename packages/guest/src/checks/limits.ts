const mebibyte = 1024 * 1024;

/** Volumes below it are skipped (REQ-090). */
export const smallestVolumeBytes = 150 * mebibyte;

/**
 * Room for one volume's header below /var/lib/kannuki: a LUKS2 header with its area for the conversion takes 16 MiB, and
 * while it is replaced there are two of it.
 */
export const headerRoomBytes = 32 * mebibyte;

/** What has to be left there beside the headers, for journals and whoever else writes to /var. */
export const stateReserveBytes = 32 * mebibyte;

/** Files that one volume needs there: header, journal, and the new copy of each. */
export const inodesPerVolume = 4;

/** A /boot with less cannot take any initramfs: the next kernel update leaves a machine that does not boot. */
export const bootFullBytes = 16 * mebibyte;

/** Usual size of an initramfs with the modules for unlocking. */
export const bootTightBytes = 64 * mebibyte;

/**
 * Memory for the conversion, measured on a 6.1 kernel with 4096-byte sectors and the journal mode: cryptsetup takes 39 MiB
 * at most, the kernel hardly more; the rest is so that nobody else is driven out. The 2 GB of REQ-022 is a rule about VM
 * sizes and is checked with the size, not here.
 */
export const leastAvailableBytes = 128 * mebibyte;
export const smallMemoryBytes = 512 * mebibyte;
