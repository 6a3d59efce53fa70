import type { MachineRecord } from './machine-store.ts';
import type { ProvisionFiles } from './port.ts';
import { readPublicKey } from './qemu/ssh.ts';

/** As the machine's record keeps them: base64. */
export function toProvisionRecord(files: ProvisionFiles): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [name, Buffer.from(content).toString('base64')]),
  );
}

/** Everything one start tells the VM: what this host always says, what its record keeps, what is said only this once. */
export async function provisionFor(
  record: MachineRecord,
  folder: string,
  once: ProvisionFiles,
): Promise<ProvisionFiles> {
  const kept = Object.entries(record.provision).map(
    ([name, content]) => [name, Buffer.from(content, 'base64')] as const,
  );
  return {
    'host-name': hostName(record.name),
    'authorized-keys': await readPublicKey(folder),
    ...Object.fromEntries(kept),
    ...once,
  };
}

/** VM names may have underscores and a longer form than host names (RFC 1123). */
function hostName(name: string): string {
  return name
    .replaceAll('_', '-')
    .replaceAll(/[.-]+$/g, '')
    .slice(0, 63);
}
