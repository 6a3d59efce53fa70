import { type Run, run as runProgram, type SecretBytes } from '@kannuki/core';
import { releasePassphrase, type VaultPort } from '@kannuki/keyvault';
import { Cryptsetup } from '../volumes/cryptsetup.ts';
import { assertSameDevice } from '../volumes/identity.ts';
import { JournalStore } from '../volumes/journal-store.ts';
import { Locks } from '../volumes/locks.ts';
import { defaultPaths, type EnginePaths, mirrorPath } from '../volumes/paths.ts';
import { journalOf } from '../volumes/test-unlock.ts';
import type { VaultOf } from '../volumes/vault-of.ts';
import { type RebuildReport, rebuildVolumeHeader } from './header-rebuild.ts';
import { subjectFromSecret } from './lost-journal.ts';
import { type KitReport, makeRecoveryKit } from './recovery-kit.ts';
import { type RebuildSubject, subjectOf } from './subject.ts';

export interface RecoveryOptions {
  readonly paths?: EnginePaths;
  readonly run?: Run;
  /** Bytes of the disk that were searched for the boundary of a conversion. */
  readonly onSearch?: (volume: string, bytesDone: number, bytesTotal: number) => void;
}

/** What is done when a header, a journal or a vault may be lost one day, or is. */
export class VolumeRecovery {
  readonly #paths: EnginePaths;
  readonly #run: Run;
  readonly #store: JournalStore;
  readonly #locks: Locks;
  readonly #options: RecoveryOptions;

  constructor(options: RecoveryOptions = {}) {
    this.#options = options;
    this.#paths = options.paths ?? defaultPaths;
    this.#run = options.run ?? runProgram;
    this.#store = new JournalStore(this.#paths);
    this.#locks = new Locks(this.#paths.runtime, this.#run);
  }

  /**
   * Rebuilds the lost or damaged header of a volume that is not open (header-rebuild.ts).
   * @throws KannukiError KNK-VOL-0007, 0201 to 0203
   */
  async rebuildHeader(target: string, vaultOf: VaultOf): Promise<RebuildReport> {
    const { name } = journalOf(await this.#store.list(), target);
    await using _lock = await this.#locks.volume(name);
    const journal = journalOf(await this.#store.list(), name);
    await assertSameDevice(journal, this.#run);
    return await this.#rebuild(subjectOf(journal, this.#paths), await vaultOf(journal.vaultUri));
  }

  /**
   * The same without a journal: with the id of the passphrase's secret, beside which the header record lies.
   * @param device where the volume is
   */
  async rebuildHeaderFromSecret(secretId: string, device: string, vault: VaultPort): Promise<RebuildReport> {
    const subject = await subjectFromSecret({ secretId, device, vault, run: this.#run, paths: this.#paths });
    await using _lock = await this.#locks.volume(subject.name);
    return await this.#rebuild(subject, vault);
  }

  /**
   * Makes a recovery kit for a volume, open or not (recovery-kit.ts).
   * @param kitPassphrase stays the caller's
   * @throws KannukiError KNK-VOL-0007, 0204, 0205
   */
  async makeKit(target: string, file: string, kitPassphrase: SecretBytes, vaultOf: VaultOf): Promise<KitReport> {
    const { name } = journalOf(await this.#store.list(), target);
    await using _lock = await this.#locks.volume(name);
    const journal = journalOf(await this.#store.list(), name);
    const { passphrase } = subjectOf(journal, this.#paths);
    const vault = await vaultOf(journal.vaultUri);
    using machinePassphrase = await releasePassphrase(vault, passphrase);
    const parts = { paths: this.#paths, run: this.#run, now: new Date() };
    return await makeRecoveryKit({ journal, file, kitPassphrase, machinePassphrase, ...parts });
  }

  async #rebuild(subject: RebuildSubject, vault: VaultPort): Promise<RebuildReport> {
    const { onSearch } = this.#options;
    const { sizeBytes } = subject.device;
    return rebuildVolumeHeader(subject, {
      run: this.#run,
      runtime: this.#paths.runtime,
      cryptsetup: new Cryptsetup(this.#run),
      vault,
      mirror: mirrorPath(this.#paths, subject.name),
      now: new Date(),
      ...(onSearch === undefined ? {} : { onProgress: (done) => onSearch(subject.name, done, sizeBytes) }),
    });
  }
}
