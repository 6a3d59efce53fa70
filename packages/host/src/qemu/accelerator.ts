import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KannukiError, run } from '@kannuki/core';
import type { Accelerator } from '../port.ts';

/** Arguments of QEMU that choose how the processor runs. */
export function acceleratorArguments(accelerator: Accelerator): readonly string[] {
  // Emulation: not `max`. Its erms and fsrm make Linux clear memory with `rep stosb`, which emulation runs byte by byte,
  // and with QEMU 7.2 some sets of its features give wrong results of system calls in the guest. Westmere has AES and
  // all of x86-64-v2, is as fast, and rdrand spares the guest the wait for entropy.
  return accelerator === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'host']
    : ['-accel', 'tcg,thread=multi', '-cpu', 'Westmere,+rdrand'];
}

const probeSeconds = 4;
const rounds = 20_000_000;
const exitPort = 0x501;
const exitValue = 0x10;

/**
 * Whether KVM really runs machines here. The device node says little: nested or para-virtual KVM may refuse a feature,
 * or run boot loaders a thousand times slower than real hardware. So a boot sector counts to twenty million, which
 * takes hardware some hundredths of a second, and then ends QEMU with a known code.
 */
export async function probeAccelerator(): Promise<Accelerator> {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-kvm-'));
  try {
    const disk = join(folder, 'boot-sector');
    await writeFile(disk, bootSector());
    const wanted = exitValue * 2 + 1;
    await run(
      'qemu-system-x86_64',
      [
        ['-machine', 'pc', ...acceleratorArguments('kvm')],
        ['-nodefaults', '-no-user-config', '-display', 'none', '-m', '16'],
        ['-device', `isa-debug-exit,iobase=0x${exitPort.toString(16)},iosize=1`],
        ['-drive', 'file=boot-sector,format=raw,if=ide,snapshot=on'],
      ].flat(),
      { accept: [wanted], timeoutSeconds: probeSeconds, workingDirectory: folder, environment: { TMPDIR: folder } },
    );
    return 'kvm';
  } catch (error) {
    if (error instanceof KannukiError && error.code !== 'KNK-CMD-0002') return 'tcg';
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** 16-bit code: mov ecx, rounds; 1: dec ecx; jnz 1b; mov dx, exitPort; mov al, exitValue; out dx, al; hlt. */
function bootSector(): Uint8Array {
  const sector = Buffer.alloc(512);
  Buffer.from([0x66, 0xb9, 0, 0, 0, 0, 0x66, 0x49, 0x75, 0xfc, 0xba, 0, 0, 0xb0, exitValue, 0xee, 0xf4]).copy(sector);
  sector.writeUInt32LE(rounds, 2);
  sector.writeUInt16LE(exitPort, 11);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
