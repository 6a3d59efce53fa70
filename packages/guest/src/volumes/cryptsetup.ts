import { truncate, writeFile } from 'node:fs/promises';
import { hasCode, type Run, SecretBytes } from '@kannuki/core';
import type { Tuning } from '../tuning/tuning.ts';
import { type ConversionProgress, parseProgress } from './conversion-progress.ts';

/** LUKS2 has the data of a device with its header on it 16 MiB from the beginning. */
export const headerAreaBytes = 16 * 1024 * 1024;

/**
 * The calls of cryptsetup(8) that the engine makes. A passphrase goes in on standard input and nowhere else.
 * Bounds: a machine key slot costs 1000 PBKDF2 iterations, so nothing but the conversion itself takes long.
 */
export class Cryptsetup {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  /**
   * Makes a detached LUKS2 header for encryption in place with data offset 0. Does not write to the device, so the
   * device may be mounted. The passphrase is random, so a slow key derivation would protect nothing.
   */
  async makeHeader(options: {
    readonly header: string;
    readonly device: string;
    readonly passphrase: SecretBytes;
    readonly tuning: Pick<Tuning, 'cipher' | 'keyBits' | 'sectorSize'>;
    readonly resilience: 'journal';
  }): Promise<void> {
    await this.#run(
      'cryptsetup',
      [
        'reencrypt',
        '--encrypt',
        '--init-only',
        '--batch-mode',
        '--type=luks2',
        `--cipher=${options.tuning.cipher}`,
        `--key-size=${options.tuning.keyBits}`,
        `--sector-size=${options.tuning.sectorSize}`,
        // The key slot stays AES whatever the data gets: that is what a header record is made from.
        '--keyslot-cipher=aes-xts-plain64',
        '--keyslot-key-size=512',
        `--resilience=${options.resilience}`,
        '--pbkdf=pbkdf2',
        '--pbkdf-force-iterations=1000',
        '--key-file=-',
        `--header=${options.header}`,
        options.device,
      ],
      { input: options.passphrase, timeoutSeconds: 300 },
    );
  }

  /**
   * Makes, in a file, the header that goes to the beginning of a device: luksFormat(8) of a file a little larger than the header
   * area, with the data where LUKS2 has it by default. Nothing in it depends on the size of the device.
   */
  async makeHeaderForDevice(options: {
    readonly file: string;
    readonly luksUuid: string;
    readonly passphrase: SecretBytes;
    readonly sectorSize: 512 | 4096;
  }): Promise<void> {
    const { file, luksUuid, passphrase, sectorSize } = options;
    await writeFile(file, '', { mode: 0o600 });
    await truncate(file, headerAreaBytes + 1024 * 1024);
    await this.#run(
      'cryptsetup',
      [
        'luksFormat',
        '--batch-mode',
        '--type=luks2',
        '--cipher=aes-xts-plain64',
        '--key-size=512',
        `--sector-size=${sectorSize}`,
        `--offset=${headerAreaBytes / 512}`,
        `--uuid=${luksUuid}`,
        '--pbkdf=pbkdf2',
        '--pbkdf-force-iterations=1000',
        '--key-file=-',
        file,
      ],
      { input: passphrase, timeoutSeconds: 300 },
    );
    await truncate(file, headerAreaBytes);
  }

  /**
   * Maps a device with a key that nobody knows, made by the kernel this moment. What was on it is not readable any more.
   * @param offsetBytes what lies before it on the device stays as it is
   */
  async openWithRandomKey(options: {
    readonly device: string;
    readonly name: string;
    readonly offsetBytes: number;
    readonly sectorSize: 512 | 4096;
  }): Promise<void> {
    const { device, name, offsetBytes, sectorSize } = options;
    await this.#run(
      'cryptsetup',
      [
        'open',
        '--type=plain',
        '--batch-mode',
        '--cipher=aes-xts-plain64',
        '--key-size=512',
        `--sector-size=${sectorSize}`,
        `--offset=${offsetBytes / 512}`,
        '--key-file=/dev/urandom',
        device,
        name,
      ],
      { timeoutSeconds: 120 },
    );
  }

  /** Fails unless the passphrase opens a key slot of the header. @param keyslot only this one counts */
  async testPassphrase(header: string, device: string, passphrase: SecretBytes, keyslot?: number): Promise<void> {
    const slot = keyslot === undefined ? [] : [`--key-slot=${keyslot}`];
    await this.#run(
      'cryptsetup',
      [
        'open',
        '--test-passphrase',
        '--batch-mode',
        '--key-file=-',
        ...slot,
        ...headerArguments(header, device),
        device,
      ],
      { input: passphrase, timeoutSeconds: 120 },
    );
  }

  /**
   * Adds a key slot for a new passphrase. Both passphrases go in on standard input, one right behind the other: told their
   * lengths, cryptsetup reads no byte more for the first. It writes and syncs the slot's area, then one copy of the
   * metadata, then the other, so that a power cut leaves the header with the slot or without it.
   */
  async addKeyslot(options: {
    readonly header: string;
    readonly device: string;
    readonly keyslot: number;
    readonly passphrase: SecretBytes;
    readonly newPassphrase: SecretBytes;
  }): Promise<void> {
    const { header, device, keyslot, passphrase, newPassphrase } = options;
    const joined = new Uint8Array(new ArrayBuffer(passphrase.length + newPassphrase.length));
    joined.set(passphrase.bytes);
    joined.set(newPassphrase.bytes, passphrase.length);
    using both = SecretBytes.take(joined);
    await this.#run(
      'cryptsetup',
      [
        'luksAddKey',
        '--batch-mode',
        `--key-slot=${keyslot}`,
        ...machineSlot,
        '--key-file=-',
        `--keyfile-size=${passphrase.length}`,
        `--new-keyfile-size=${newPassphrase.length}`,
        ...headerArguments(header, device),
        device,
        '-',
      ],
      { input: both, timeoutSeconds: 120 },
    );
  }

  /**
   * Removes a key slot: its area is overwritten and synced, then it leaves both copies of the metadata. Needs no passphrase, and does
   * not ask whether another one is left: the caller has to know.
   */
  async killKeyslot(header: string, device: string, keyslot: number): Promise<void> {
    await this.#run(
      'cryptsetup',
      ['luksKillSlot', '--batch-mode', ...headerArguments(header, device), device, String(keyslot)],
      { timeoutSeconds: 120 },
    );
  }

  /**
   * Turns a copy of a header into one with which the volume goes on to a new volume key. Writes neither to the device nor to
   * the header in use. The key slots keep their cipher whatever that of the data is.
   * @param options.keyslot the slot that the passphrase opens; no other one gets a successor
   */
  async beginKeyChange(options: {
    readonly headerCopy: string;
    readonly device: string;
    readonly passphrase: SecretBytes;
    readonly keyslot: number;
    readonly cipher: { readonly name: string; readonly keyBits: number } | null;
    readonly sectorSize: 512 | 4096;
    readonly resilience: 'journal';
  }): Promise<void> {
    const { headerCopy, device, passphrase, keyslot, cipher, sectorSize, resilience } = options;
    await this.#run(
      'cryptsetup',
      [
        'reencrypt',
        '--init-only',
        '--batch-mode',
        ...(cipher === null ? [] : [`--cipher=${cipher.name}`, `--key-size=${cipher.keyBits}`]),
        `--sector-size=${sectorSize}`,
        `--resilience=${resilience}`,
        `--key-slot=${keyslot}`,
        ...machineSlot,
        '--keyslot-cipher=aes-xts-plain64',
        '--keyslot-key-size=512',
        '--key-file=-',
        `--header=${headerCopy}`,
        device,
      ],
      { input: passphrase, timeoutSeconds: 300 },
    );
  }

  /** Maps the device; with a conversion under way this also replays what a power cut has left half-written. */
  async open(header: string, device: string, name: string, passphrase: SecretBytes): Promise<void> {
    await this.#run(
      'cryptsetup',
      ['open', '--batch-mode', '--key-file=-', ...headerArguments(header, device), device, name],
      {
        input: passphrase,
        timeoutSeconds: 300,
      },
    );
  }

  async close(name: string): Promise<void> {
    await this.#run('cryptsetup', ['close', name], { timeoutSeconds: 120 });
  }

  /**
   * Changes how an open volume works, without closing it, and stores that in its header. Refused while a conversion is under
   * way. What is not among the options is off afterwards.
   */
  async refresh(options: {
    readonly header: string;
    readonly device: string;
    readonly name: string;
    readonly passphrase: SecretBytes;
    readonly options: readonly string[];
  }): Promise<void> {
    await this.#run(
      'cryptsetup',
      [
        'refresh',
        '--persistent',
        '--batch-mode',
        '--key-file=-',
        ...headerArguments(options.header, options.device),
        ...options.options,
        options.name,
      ],
      { input: options.passphrase, timeoutSeconds: 120 },
    );
  }

  /**
   * Gives a mapping in use the size that its device has now. With its key in the kernel's keyring, where nobody gets it out of again, this
   * needs the passphrase. Writes neither to the header nor to the device.
   */
  async resize(options: {
    readonly header: string;
    readonly device: string;
    readonly name: string;
    readonly passphrase: SecretBytes;
  }): Promise<void> {
    const { header, device, name, passphrase } = options;
    await this.#run(
      'cryptsetup',
      ['resize', '--batch-mode', '--key-file=-', ...headerArguments(header, device), name],
      { input: passphrase, timeoutSeconds: 120 },
    );
  }

  /**
   * Writes into a detached header with data offset 0 that its volume is to become plain, while the mapping is in use. No block
   * changes before `resume`, which goes from the last block to the first.
   */
  async beginDecryption(options: {
    readonly header: string;
    readonly device: string;
    readonly name: string;
    readonly passphrase: SecretBytes;
    readonly resilience: 'journal';
  }): Promise<void> {
    await this.#run(
      'cryptsetup',
      [
        'reencrypt',
        '--decrypt',
        '--init-only',
        '--batch-mode',
        `--resilience=${options.resilience}`,
        '--key-file=-',
        `--header=${options.header}`,
        `--active-name=${options.name}`,
        options.device,
      ],
      { input: options.passphrase, timeoutSeconds: 300 },
    );
  }

  /**
   * Converts what is left while the mapping is in use. Call it only behind the finishing check (finishing-check.ts).
   * It must never be killed: a piece that it works on stays suspended then, with everybody who reads there, until the machine
   * reboots, and `--resume-only` refuses the live mapping ("Mismatching parameters"; 2.6.1). Hence the gentle end, after which all
   * is well, and the protection from the kernel's out-of-memory killer by choom(1).
   * @param onProgress bytes done, bytes in all, bytes a second as cryptsetup measures them
   * @returns `interrupted` when the signal ended it between two pieces
   */
  async resume(options: {
    readonly header: string;
    readonly device: string;
    readonly name: string;
    readonly passphrase: SecretBytes;
    readonly resilience: 'journal';
    readonly onProgress: (progress: ConversionProgress) => void;
    readonly signal: AbortSignal;
    /** Descriptor of the volume's lock, held by cryptsetup too as long as it runs. */
    readonly lock: number | null;
  }): Promise<'ended' | 'interrupted'> {
    const running = this.#run(
      'choom',
      [
        '--adjust=-1000',
        '--',
        'cryptsetup',
        'reencrypt',
        '--resume-only',
        '--batch-mode',
        `--resilience=${options.resilience}`,
        '--progress-json',
        '--progress-frequency=1',
        '--key-file=-',
        ...headerArguments(options.header, options.device),
        `--active-name=${options.name}`,
        options.device,
      ],
      {
        input: options.passphrase,
        timeoutSeconds: maximumConversionSeconds,
        gentle: { graceSeconds: endOfPieceSeconds },
        onLine: (line) => {
          const progress = parseProgress(line);
          if (progress !== undefined) options.onProgress(progress);
        },
        signal: options.signal,
        ...(options.lock === null ? {} : { descriptors: [options.lock] }),
      },
    );
    try {
      await running;
      return 'ended';
    } catch (error) {
      // The code for "ended by a signal" is also that of failures; before it has begun the signal ends it directly.
      if (options.signal.aborted && hasCode(error, 'KNK-CMD-0001')) return 'interrupted';
      throw error;
    }
  }
}

/** The passphrases of machines are random, so a slow key derivation would protect nothing. */
const machineSlot = ['--pbkdf=pbkdf2', '--pbkdf-force-iterations=1000'] as const;

/** A header on the device itself is no option of its own. */
function headerArguments(header: string, device: string): readonly string[] {
  return header === device ? [] : [`--header=${header}`];
}

/** Two weeks: 64 TiB at 60 MB/s. setTimeout's own limit is a little above it. */
const maximumConversionSeconds = 14 * 24 * 3600;

/** A piece of 16 MiB takes less than a second; a disk that hangs may take its time. */
const endOfPieceSeconds = 600;
