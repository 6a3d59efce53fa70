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
  #fresh: Principal[] = [];
  #recording: Promise<void> | undefined;

  constructor(options: ManagedIdentitiesOptions) {
    this.#options = options;
  }

  /** The ids of a VM: the same every time, also before its first token. */
  idsOf(vmId: string): Pick<Principal, 'objectId' | 'appId'> {
    const { tenantId } = this.#options;
    return {
      objectId: derivedId(`object ${tenantId} ${vmId}`),
      appId: derivedId(`application ${tenantId} ${vmId}`),
    };
  }

  /** The identity of a VM, put on record where it is not. @returns undefined where there is no such VM (any more) */
  async ofVm(vmId: string): Promise<Principal | undefined> {
    const { store, now } = this.#options;
    const ids = this.idsOf(vmId);
    const known = store.byObjectId(ids.objectId);
    if (known !== undefined) return known;
    this.#fresh.push({ ...ids, displayName: vmId, kind: 'managed-identity', vmId, enabled: true, createdAt: now() });
    // A thousand machines that start at one time cost a few commits.
    this.#recording ??= new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        const fresh = this.#fresh;
        this.#fresh = [];
        this.#recording = undefined;
        try {
          store.transaction(() => {
            for (const principal of fresh) store.add(principal);
          });
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    await this.#recording;
    return store.byObjectId(ids.objectId);
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
