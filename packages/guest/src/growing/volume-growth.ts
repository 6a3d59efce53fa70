import { writeFile } from 'node:fs/promises';
import { isRefused, KannukiError, type Run, run as runProgram } from '@kannuki/core';
import { found } from '../checks/finding.ts';
import { readGuestFacts } from '../facts/guest-facts.ts';
import type { GuestFacts } from '../facts/model.ts';
import { isAbsence } from '../facts/sources.ts';
import { resolveTargets } from '../targets/targets.ts';
import { Cryptsetup } from '../volumes/cryptsetup.ts';
import { isFinished, type Journal } from '../volumes/journal.ts';
import { JournalStore } from '../volumes/journal-store.ts';
import { type HeldLock, Locks } from '../volumes/locks.ts';
import { activeMapping } from '../volumes/mapping.ts';
import { defaultPaths, type EnginePaths } from '../volumes/paths.ts';
import { mapperPath } from '../volumes/steps/map.ts';
import { isNamedBy, journalOf } from '../volumes/test-unlock.ts';
import { useOf } from '../volumes/uses/uses.ts';
import type { VaultOf } from '../volumes/vault-of.ts';
import { checkGrowth } from './check-growth.ts';
import { readDetails } from './details.ts';
import { growLayer, layerBytes } from './grow-layer.ts';
import { type Layer, layersOf } from './layers.ts';

export interface GrowthOptions {
  readonly paths?: EnginePaths;
  readonly run?: Run;
  /** Told when a layer has been looked at and grown, from the disk up; the next one waits for it. */
  readonly onLayer?: (layer: GrownLayer) => void | Promise<void>;
}

/** One layer, and what became of it. */
export interface GrownLayer {
  readonly layer: Exclude<Layer['kind'], 'unknown'>;
  readonly device: string;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface GrowthReport {
  /** What was named: mount point, device or volume. */
  readonly target: string;
  /** From the disk up. */
  readonly layers: readonly GrownLayer[];
}

/**
 * Takes everything that lies on a disk which has become larger along, in use: partition, array, dm-crypt, LVM, file system. It keeps no
 * record of its own. How far a growing has come is what each layer says of its size, so after a power cut the same command goes on
 * from there, and where there is nothing to do it does nothing.
 */
export class VolumeGrowth {
  readonly #paths: EnginePaths;
  readonly #run: Run;
  readonly #store: JournalStore;
  readonly #locks: Locks;
  readonly #onLayer: NonNullable<GrowthOptions['onLayer']>;

  constructor(options: GrowthOptions = {}) {
    this.#paths = options.paths ?? defaultPaths;
    this.#run = options.run ?? runProgram;
    this.#store = new JournalStore(this.#paths);
    this.#locks = new Locks(this.#paths.runtime, this.#run);
    this.#onLayer = options.onLayer ?? (() => {});
  }

  /**
   * @param vaultOf asked only when a mapping has to be resized
   * @throws KannukiError KNK-VOL-0070 with all findings when a check refuses, 0010 while another operation on the volume is not over; then
   * nothing has changed
   */
  async grow(target: string, vaultOf: VaultOf): Promise<GrowthReport> {
    const named = await this.#deviceOf(target);
    await using locks = new AsyncDisposableStack();
    const { layers, lock } = await this.#lockAll(await this.#layersOf(named), locks);
    const parts = {
      run: this.#run,
      paths: this.#paths,
      store: this.#store,
      cryptsetup: new Cryptsetup(this.#run),
      vaultOf,
      lock: lock?.descriptor ?? null,
    };
    const grown: GrownLayer[] = [];
    for (const layer of layers) {
      if (layer.kind === 'unknown') throw new Error(`${layer.device.path} was not refused`);
      const bytesBefore = await layerBytes(layer, parts);
      await growLayer(layer, parts);
      const bytesAfter = await layerBytes(layer, parts);
      const report = { layer: layer.kind, device: layer.device.path, bytesBefore, bytesAfter };
      grown.push(report);
      await this.#onLayer(report);
    }
    return { target, layers: grown };
  }

  /** A volume of ours is known by more names than its mapping, and only an open one shows what lies on it. */
  async #deviceOf(target: string): Promise<string> {
    const journal = (await this.#store.list()).find((one) => isNamedBy(one, target));
    if (journal === undefined) return target;
    assertFinished(journal);
    if ((await activeMapping(journal.name)) !== undefined) return mapperPath(journal);
    const { name } = useOf(journal);
    throw new KannukiError('KNK-VOL-0070', { details: { target }, findings: [locked(name)] });
  }

  /** Reads and checks everything. @throws KannukiError KNK-VOL-0070, 0010 */
  async #layersOf(named: string): Promise<readonly Layer[]> {
    const journals = await this.#store.list();
    const facts = await this.#factsOf(named, journals);
    const layers = await this.#stackOf(facts, named, journals);
    const details = await readDetails(layers, { run: this.#run, paths: this.#paths });
    for (const layer of layers)
      if (layer.kind === 'mapping' && layer.journal !== undefined) assertFinished(layer.journal);
    const findings = checkGrowth(facts, layers, details);
    if (isRefused(findings)) throw new KannukiError('KNK-VOL-0070', { details: { target: named }, findings });
    return layers;
  }

  /** A disk that the host has made larger in use may have to be asked for its size. */
  async #factsOf(named: string, journals: readonly Journal[]): Promise<GuestFacts> {
    const sources = { root: '/', run: this.#run };
    const facts = await readGuestFacts(sources);
    const disks = (await this.#stackOf(facts, named, journals)).filter(({ kind }) => kind === 'disk');
    const asked = await Promise.all(disks.map(({ device }) => rescan(device.kernelName)));
    return asked.includes(true) ? await readGuestFacts(sources) : facts;
  }

  async #stackOf(facts: GuestFacts, named: string, journals: readonly Journal[]): Promise<readonly Layer[]> {
    const volumes = await resolveTargets(facts, [named], { root: '/' });
    return volumes.flatMap(({ device }) => layersOf(facts, device, journals));
  }

  /** @returns the layers with the journals as they are under the locks, and one of the locks: all are free at the same time */
  async #lockAll(
    layers: readonly Layer[],
    stack: AsyncDisposableStack,
  ): Promise<{ readonly layers: readonly Layer[]; readonly lock: HeldLock | undefined }> {
    let lock: HeldLock | undefined;
    const journals = new Map<string, Journal>();
    for (const name of layers.flatMap((layer) => journalNameOf(layer) ?? []).toSorted()) {
      lock = stack.use(await this.#locks.volume(name));
      // Another run may have had the volume until this moment.
      const journal = journalOf(await this.#store.list(), name);
      assertFinished(journal);
      journals.set(name, journal);
    }
    return { lock, layers: layers.map((layer) => withJournal(layer, journals.get(journalNameOf(layer) ?? ''))) };
  }
}

function journalNameOf(layer: Layer): string | undefined {
  return layer.kind === 'mapping' ? layer.journal?.name : undefined;
}

function withJournal(layer: Layer, journal: Journal | undefined): Layer {
  return layer.kind === 'mapping' ? { ...layer, journal } : layer;
}

function assertFinished(journal: Journal): void {
  if (isFinished(journal)) return;
  const { operation } = journal;
  throw new KannukiError('KNK-VOL-0010', { details: { target: useOf(journal).name, operation } });
}

function locked(name: string) {
  return found(
    'refuse',
    'REQ-255',
    name,
    {
      en: 'the volume is locked, and volumes are grown in use',
      ja: 'ボリュームがロックされています。拡張は使用中に行われます',
    },
    { en: `open it first: kannuki disk unlock ${name}`, ja: `先に開いてください: kannuki disk unlock ${name}` },
  );
}

/** SCSI disks and NVMe controllers; others (virtio) tell by themselves. @returns whether there was somebody to ask */
async function rescan(kernelName: string): Promise<boolean> {
  const device = `/sys/class/block/${kernelName}/device`;
  const asked = await Promise.all(['rescan', 'rescan_controller'].map((file) => ask(`${device}/${file}`)));
  return asked.includes(true);
}

async function ask(path: string): Promise<boolean> {
  try {
    await writeFile(path, '1', { flag: 'r+' });
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}
