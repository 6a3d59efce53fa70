import { truncate, writeFile } from 'node:fs/promises';
import type { Run, SecretBytes } from '@kannuki/core';

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
    readonly sectorSize: 512 | 4096;
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
        '--cipher=aes-xts-plain64',
        '--key-size=512',
        `--sector-size=${options.sectorSize}`,
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

  /** Fails unless the passphrase opens a key slot of the header. */
  async testPassphrase(header: string, device: string, passphrase: SecretBytes): Promise<void> {
    await this.#run(
      'cryptsetup',
      ['open', '--test-passphrase', '--batch-mode', '--key-file=-', ...headerArguments(header, device), device],
      { input: passphrase, timeoutSeconds: 120 },
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
   * Converts what is left while the mapping is in use. Call it only behind the finishing check (finishing-check.ts).
   * @param onProgress bytes done, bytes in all, bytes a second as cryptsetup measures them
   */
  async resume(options: {
    readonly header: string;
    readonly device: string;
    readonly name: string;
    readonly passphrase: SecretBytes;
    readonly resilience: 'journal';
    readonly onProgress: (progress: ConversionProgress) => void;
    readonly signal: AbortSignal | undefined;
    /** Descriptor of the volume's lock, held by cryptsetup too as long as it runs. */
    readonly lock: number | null;
  }): Promise<void> {
    await this.#run(
      'cryptsetup',
      [
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
        onLine: (line) => {
          const progress = parseProgress(line);
          if (progress !== undefined) options.onProgress(progress);
        },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(options.lock === null ? {} : { descriptors: [options.lock] }),
      },
    );
  }
}

/** A header on the device itself is no option of its own. */
function headerArguments(header: string, device: string): readonly string[] {
  return header === device ? [] : [`--header=${header}`];
}

export interface ConversionProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number;
  readonly etaSeconds: number;
}

/** Two weeks: 64 TiB at 60 MB/s. setTimeout's own limit is a little above it. */
const maximumConversionSeconds = 14 * 24 * 3600;

/** One line of `--progress-json`: all numbers are decimal strings, times in ms, speed in bytes a second. */
function parseProgress(line: string): ConversionProgress | undefined {
  if (!line.startsWith('{')) return undefined;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const [bytesDone, bytesTotal, bytesPerSecond, milliseconds] = ['device_bytes', 'device_size', 'speed', 'eta_ms'].map(
    (name) => Number(fields[name]),
  );
  if (
    bytesDone === undefined ||
    bytesTotal === undefined ||
    bytesPerSecond === undefined ||
    milliseconds === undefined
  ) {
    return undefined;
  }
  const all = [bytesDone, bytesTotal, bytesPerSecond, milliseconds];
  if (!all.every((value) => Number.isSafeInteger(value) && value >= 0)) return undefined;
  return { bytesDone, bytesTotal, bytesPerSecond, etaSeconds: Math.ceil(milliseconds / 1000) };
}
