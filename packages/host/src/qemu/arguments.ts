import { createHash } from 'node:crypto';
import { type MachineRecord, machineFiles } from '../machine-store.ts';
import type { Accelerator } from '../port.ts';
import { acceleratorArguments } from './accelerator.ts';
import { dataController, dataDiskDevice, dataDiskNode, osDiskDevice, osDiskNode, type Properties } from './devices.ts';

export interface MachineArguments {
  readonly record: MachineRecord;
  readonly accelerator: Accelerator;
  /** Free TCP port of 127.0.0.1. */
  readonly sshPort: number;
  /** fw_cfg files: name below opt/io.kannuki/ → descriptor that QEMU inherits. */
  readonly provision: ReadonlyMap<string, number>;
}

/**
 * Arguments of qemu-system-x86_64, which runs in the machine's folder, so that no path in here is absolute. Nothing
 * secret is in them: everyone on the host can read them. The processor waits until QMP says `cont`.
 */
export function qemuArguments(machine: MachineArguments): readonly string[] {
  const { record } = machine;
  const provision = [...machine.provision].flatMap(([name, descriptor]) => [
    '-fw_cfg',
    `name=opt/io.kannuki/${name},file=/proc/self/fd/${descriptor}`,
  ]);
  return [
    ['-name', `guest=${record.name}`, '-uuid', record.uuid],
    ['-nodefaults', '-no-user-config', '-display', 'none', '-S'],
    // Keys are in the VM's memory: it does not go into a core file and is not shared with that of other VMs.
    ['-machine', 'pc,dump-guest-core=off,mem-merge=off,hpet=off,vmport=off'],
    ...acceleratorArguments(machine.accelerator),
    ['-m', String(record.memoryMiB), '-smp', String(record.cpus), '-rtc', 'base=utc', '-boot', 'strict=on'],
    ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ['-pidfile', machineFiles.pid],
    ...monitor('monitor', machineFiles.monitor),
    ...monitor('events', machineFiles.events),
    ...serialConsole(),
    ...blockNode(osDiskNode),
    ...device(osDiskDevice),
    ...device(dataController),
    ...record.dataDisks.flatMap((disk) => [
      ...blockNode(dataDiskNode(disk.serial)),
      ...device(dataDiskDevice(disk.serial, disk.lun)),
    ]),
    ['-netdev', `user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:${machine.sshPort}-:22`],
    ...device({ driver: 'virtio-net-pci', netdev: 'net', mac: networkAddress(record.uuid), romfile: '' }),
    ...device({ driver: 'virtio-rng-pci' }),
    ...provision,
  ].flat();
}

function blockNode(properties: Properties): string[] {
  return ['-blockdev', JSON.stringify(properties)];
}

function device(properties: Properties): string[] {
  return ['-device', JSON.stringify(properties)];
}

function monitor(id: string, path: string): string[] {
  return ['-chardev', `socket,id=${id},path=${path},server=on,wait=off`, '-mon', `chardev=${id},mode=control`];
}

/** What the VM prints is in the log whether or not somebody is connected to the socket. */
function serialConsole(): string[] {
  const log = `logfile=${machineFiles.consoleLog},logappend=on`;
  return [
    ['-chardev', `socket,id=console,path=${machineFiles.console},server=on,wait=off,${log}`],
    ['-serial', 'chardev:console'],
  ].flat();
}

/** The same at every start, locally administered. */
function networkAddress(uuid: string): string {
  const hash = createHash('sha256').update(uuid).digest('hex');
  return ['52', '54', '00', hash.slice(0, 2), hash.slice(2, 4), hash.slice(4, 6)].join(':');
}
