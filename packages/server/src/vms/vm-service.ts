import { randomUUID } from 'node:crypto';
import { type Finding, isRefused, KannukiError } from '@kannuki/core';
import type { HostPort, Image, VmStatus } from '@kannuki/host';
import { checkSupport, findSize, type SupportRules, type VmSize } from '@kannuki/support';
import type { VmStore } from '../storage/vm-store.ts';
import { assertGroupName, assertVmName, newVolumeId } from './names.ts';
import type { PowerService } from './power-service.ts';
import type { SerialWork } from './serial-work.ts';
import type { Vm, VmDataDisk, VmName } from './vm.ts';

export interface NewVm extends VmName {
  /** Name or URN of an image of the host. */
  readonly image: string;
  readonly size: string;
  readonly location: string;
  readonly zone: string | null;
  readonly dataDiskSizesGb: readonly number[];
}

export interface VmView {
  readonly vm: Vm;
  readonly power: VmStatus;
}

export interface VmServiceOptions {
  readonly vms: VmStore;
  readonly host: HostPort;
  readonly power: PowerService;
  readonly serial: SerialWork;
  readonly rules: SupportRules;
  readonly now: () => number;
}

const maximumDiskGb = 32_767;
const gib = 1024 ** 3;

/** VMs of this server: made, listed, deleted. Knows no HTTP. */
export class VmService {
  readonly #options: VmServiceOptions;

  constructor(options: VmServiceOptions) {
    this.#options = options;
  }

  /**
   * Makes a VM and starts it. What the rules of encryption say of image and size comes back as findings: a VM that
   * cannot be encrypted may still be made.
   * @throws KannukiError KNK-SRV-0004, 0015, 0016, 0026, 0009
   */
  async create(wanted: NewVm): Promise<VmView & { readonly findings: readonly Finding[] }> {
    assertGroupName(wanted.resourceGroup);
    assertVmName(wanted.name);
    const { vms, host, power, serial, now } = this.#options;
    const size = this.#size(wanted.size);
    const dataDisks = planDisks(wanted, size);
    const image = await this.#image(wanted.image);
    const id = randomUUID();
    const vm: Vm = {
      id,
      resourceGroup: wanted.resourceGroup,
      name: wanted.name,
      hostName: `${wanted.name.slice(0, 50)}-${id.slice(0, 8)}`,
      state: 'creating',
      keyVolumeId: newVolumeId(),
      createdAt: now(),
      model: {
        location: wanted.location,
        zone: wanted.zone,
        image: image.name,
        imageUrn: image.urn,
        size: size.name,
        memoryMib: size.memoryMib,
        cpus: size.vCpusAvailable,
        dataDisks,
      },
    };
    if (!vms.add(vm)) throw new KannukiError('KNK-SRV-0004', { details: { kind: 'VM', name: wanted.name } });
    try {
      await serial.run(id, () =>
        host.createVm({
          name: vm.hostName,
          image: image.name,
          memoryMiB: size.memoryMib,
          cpus: size.vCpusAvailable,
          dataDisks: dataDisks.map(({ sizeGb, serial: diskSerial }) => ({
            sizeBytes: sizeGb * gib,
            serial: diskSerial,
          })),
        }),
      );
      vms.setState(id, 'ready');
    } catch (error) {
      vms.remove(id);
      throw error;
    }
    const status = await power.start({ ...vm, state: 'ready' });
    return { vm: { ...vm, state: 'ready' }, power: status, findings: this.#advice(vm) };
  }

  /** @throws KannukiError KNK-SRV-0003 */
  require(name: VmName): Vm {
    const vm = this.#options.vms.find(name);
    if (vm === undefined) {
      const details = { vm: name.name.slice(0, 100), group: name.resourceGroup.slice(0, 100) };
      throw new KannukiError('KNK-SRV-0003', { details });
    }
    if (vm.state !== 'ready') throw new KannukiError('KNK-SRV-0023', { details: { vm: vm.name, state: vm.state } });
    return vm;
  }

  async show(name: VmName): Promise<VmView> {
    const vm = this.require(name);
    return { vm, power: await this.#options.host.status(vm.hostName) };
  }

  async list(resourceGroup?: string): Promise<readonly VmView[]> {
    const { vms, host } = this.#options;
    const ready = vms.list(resourceGroup).filter(({ state }) => state === 'ready');
    return Promise.all(ready.map(async (vm) => ({ vm, power: await host.status(vm.hostName) })));
  }

  /** Powers the VM off and removes it with its disks. What it has put into vaults stays there. */
  async delete(name: VmName): Promise<void> {
    await this.#remove(this.require(name));
  }

  /** Arguments for ssh(1), as root, through the host. */
  sshArguments(name: VmName): Promise<readonly string[]> {
    return this.#options.host.sshArguments(this.require(name).hostName);
  }

  consolePath(name: VmName): string {
    return this.#options.host.consolePath(this.require(name).hostName);
  }

  /** Puts right what a crash in the middle of `create` or `delete` has left. Call it once, before anything else. */
  async recover(): Promise<void> {
    const { vms, host } = this.#options;
    const onHost = new Set((await host.listVms()).map(({ name }) => name));
    for (const vm of vms.list()) {
      if (vm.state === 'deleting') await this.#remove(vm);
      if (vm.state !== 'creating') continue;
      if (onHost.has(vm.hostName)) vms.setState(vm.id, 'ready');
      else vms.remove(vm.id);
    }
  }

  async #remove(vm: Vm): Promise<void> {
    const { vms, host, serial } = this.#options;
    await serial.run(vm.id, async () => {
      vms.setState(vm.id, 'deleting');
      if ((await host.listVms()).some(({ name }) => name === vm.hostName)) await host.deleteVm(vm.hostName);
      vms.remove(vm.id);
    });
  }

  #size(name: string): VmSize {
    const size = findSize(this.#options.rules, name);
    if (size === undefined) throw new KannukiError('KNK-SRV-0016', { details: { size: name.slice(0, 100) } });
    return size;
  }

  async #image(nameOrUrn: string): Promise<Image> {
    const wanted = nameOrUrn.toLowerCase();
    const images = await this.#options.host.listImages();
    const image = images.find(({ name, urn }) => name.toLowerCase() === wanted || urn.toLowerCase() === wanted);
    if (image === undefined) throw new KannukiError('KNK-SRV-0015', { details: { image: nameOrUrn.slice(0, 200) } });
    return image;
  }

  #advice({ model }: Vm): readonly Finding[] {
    const { rules, now } = this.#options;
    const findings = checkSupport(
      {
        volumeType: model.dataDisks.length > 0 ? 'DATA' : 'OS',
        urn: model.imageUrn,
        size: model.size,
        vmRegion: model.location,
        date: new Date(now()).toISOString().slice(0, 10),
      },
      rules,
    );
    return isRefused(findings) ? findings : [];
  }
}

/** @throws KannukiError KNK-SRV-0009 for more or bigger disks than the size takes */
function planDisks({ name, dataDiskSizesGb }: NewVm, size: VmSize): VmDataDisk[] {
  const refuse = (reason: string): KannukiError => new KannukiError('KNK-SRV-0009', { details: { reason } });
  if (dataDiskSizesGb.length > size.maxDataDisks) {
    throw refuse(`the size ${size.name} takes at most ${size.maxDataDisks} data disks`);
  }
  return dataDiskSizesGb.map((sizeGb, lun) => {
    if (!Number.isInteger(sizeGb) || sizeGb < 1 || sizeGb > maximumDiskGb) {
      throw refuse(`a data disk has 1 to ${maximumDiskGb} GB`);
    }
    return { lun, name: `${name}_DataDisk_${lun}`, sizeGb, serial: `data${lun}` };
  });
}
