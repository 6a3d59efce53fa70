import { createHash } from 'node:crypto';
import type { Principal, PrincipalStore } from '../../storage/principal-store.ts';

export interface ManagedIdentitiesOptions {
  readonly store: PrincipalStore;
  readonly tenantId: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * The system-assigned identity of each VM: a principal without secret, whose proof is the certificate that the VM shows in
 * TLS. It is on record from its first use on, and goes when the VM goes.
 */
export class ManagedIdentities {
  readonly #options: ManagedIdentitiesOptions;

  constructor(options: ManagedIdentitiesOptions) {
    this.#options = options;
  }

  /** The identity of a VM that is on record; the same ids every time. */
  ofVm(vmId: string): Principal {
    const { store, tenantId, now } = this.#options;
    const objectId = derivedId(`object ${tenantId} ${vmId}`);
    const known = store.byObjectId(objectId);
    if (known !== undefined) return known;
    const principal: Principal = {
      objectId,
      appId: derivedId(`application ${tenantId} ${vmId}`),
      displayName: vmId,
      kind: 'managed-identity',
      vmId,
      enabled: true,
      createdAt: now(),
    };
    store.add(principal);
    return principal;
  }
}

/** UUID version 8 (RFC 9562, 5.8): nobody has to keep it to know it. */
function derivedId(text: string): string {
  const bytes = createHash('sha256').update(`kannuki managed identity ${text}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
