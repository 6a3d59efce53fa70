import { KannukiError } from '@kannuki/core';
import type { ProvisionFiles, VmSpec } from './port.ts';

const vmName = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?$/;
const serial = /^[A-Za-z0-9][A-Za-z0-9-]{0,19}$/;
/** fw_cfg names have 55 bytes, 15 of them for the prefix. */
const provisionName = /^[a-z0-9][a-z0-9.-]{0,39}$/;
const provisionLimitBytes = 1024 * 1024;
const sectorBytes = 512;
/** SCSI units 0..63 of one controller, as Azure's largest sizes. */
const dataDiskLimit = 64;
const reservedSerials: ReadonlySet<string> = new Set(['kannuki-os', 'kannuki-key']);

/** Checks everything that becomes a path, an argument of QEMU or a size, and names the first thing that cannot be. */
export function checkSpec(spec: VmSpec): void {
  checkVmName(spec.name);
  checkNumber('memoryMiB', spec.memoryMiB, 128, 16 * 1024 * 1024);
  checkNumber('cpus', spec.cpus, 1, 1024);
  if (spec.dataDisks.length > dataDiskLimit) throw unacceptable('dataDisks', `at most ${dataDiskLimit}`);
  const serials = spec.dataDisks.map((disk, index) => disk.serial ?? `data${index}`);
  for (const disk of spec.dataDisks) checkDiskSize(disk.sizeBytes);
  for (const name of serials) checkSerial(name);
  if (new Set(serials).size !== serials.length) throw unacceptable('serial', 'two disks have the same');
  checkProvision(spec.provision ?? {});
}

/** @throws KannukiError KNK-HST-0011; a name is a folder's name, so nothing like `..` gets through */
export function checkVmName(name: string): void {
  if (!vmName.test(name)) throw unacceptable('name', '1 to 64 letters, digits, _ . -, not starting with . or -');
}

export function checkSerial(name: string): void {
  if (!serial.test(name) || reservedSerials.has(name)) {
    throw unacceptable(
      'serial',
      `${JSON.stringify(name.slice(0, 40))} is not 1 to 20 letters, digits, - or is reserved`,
    );
  }
}

export function checkDiskSize(sizeBytes: number): void {
  checkNumber('sizeBytes', sizeBytes, sectorBytes, 64 * 1024 ** 4);
  if (sizeBytes % sectorBytes !== 0) throw unacceptable('sizeBytes', `not a multiple of ${sectorBytes}`);
}

export function checkProvision(files: ProvisionFiles): void {
  for (const [name, content] of Object.entries(files)) {
    if (!provisionName.test(name)) throw unacceptable('provision', `the name ${JSON.stringify(name.slice(0, 60))}`);
    if (content.length > provisionLimitBytes) throw unacceptable('provision', `${name} is too large`);
  }
}

/** They go through a shell script and the boot loader's configuration: nothing that either could read as its own. */
export function checkKernelArguments(words: readonly string[]): void {
  for (const word of words) {
    if (!/^[A-Za-z0-9_.,=:/-]+$/.test(word)) throw unacceptable('kernelArguments', JSON.stringify(word.slice(0, 60)));
  }
}

function checkNumber(field: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw unacceptable(field, `a whole number from ${least} to ${most}`);
  }
}

function unacceptable(field: string, detail: string): KannukiError {
  return new KannukiError('KNK-HST-0011', { details: { field, detail } });
}
