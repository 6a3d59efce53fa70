import { hasCode, KannukiError, SecretBytes } from '@kannuki/core';
import type { KeyKind } from '../port.ts';
import type { EncryptionAlgorithm, KeyModule, KeyShape, SignatureAlgorithm } from '../service/key-module.ts';
import type { VaultTerms } from '../service/vault-objects.ts';
import { keyAttributes } from './attributes.ts';
import type { KeyMaterial } from './key-work/key-material.ts';
import { spkiOf } from './key-work/public-key.ts';
import type { VersionRow } from './statements.ts';
import type { VaultContext } from './vault-context.ts';

export function isHardware(kind: KeyKind): boolean {
  return kind.endsWith('-HSM');
}

/** Keys in the module: the sealed value of such a version is the module's handle. */
export class HardwareKeys {
  readonly #context: VaultContext;

  constructor(context: VaultContext) {
    this.#context = context;
  }

  /** @throws KannukiError KNK-KVT-0026 where terms or module do not allow it */
  assertCan(shape: KeyShape, { premium }: VaultTerms): void {
    if (!premium) throw impossible('an HSM-protected key', 'the vault is not premium');
    const { shapes } = this.#module().capabilities;
    const wanted = shape.kty === 'RSA' ? `RSA ${shape.bits}` : `EC ${shape.crv}`;
    const found = shapes.some((can) =>
      can.kty === 'RSA' ? shape.kty === 'RSA' && can.bits === shape.bits : shape.kty === 'EC' && can.crv === shape.crv,
    );
    if (!found) throw impossible(`an HSM-protected key ${wanted}`, 'the HSM cannot make one');
  }

  async generate(shape: KeyShape): Promise<KeyMaterial> {
    const { publicKey, handle } = await this.#module().generate(shape);
    return { shape, publicKey: spkiOf(publicKey), privateKey: SecretBytes.copy(handle) };
  }

  /** A value that only the module could open must not be made where the module cannot. */
  assertEncryption(algorithm: EncryptionAlgorithm): void {
    const module = this.#context.module;
    if (module === undefined || module.capabilities.encryption.includes(algorithm)) return;
    throw impossible(algorithm, 'the HSM that holds the key cannot do it');
  }

  async decrypt(row: VersionRow, algorithm: EncryptionAlgorithm, ciphertext: Uint8Array): Promise<SecretBytes> {
    const module = this.#module();
    this.assertEncryption(algorithm);
    using handle = await this.#context.store.openValue(row);
    return await module.decrypt(handle.bytes, algorithm, ciphertext).catch(lostByModule);
  }

  async sign(row: VersionRow, algorithm: SignatureAlgorithm, digest: Uint8Array): Promise<Uint8Array> {
    const module = this.#module();
    if (!module.capabilities.signature.includes(algorithm)) {
      throw impossible(algorithm, 'the HSM that holds the key cannot do it');
    }
    using handle = await this.#context.store.openValue(row);
    return await module.sign(handle.bytes, algorithm, digest).catch(lostByModule);
  }

  /** Before their rows are removed: a key must not stay in the HSM with nobody who knows of it. */
  async destroy(rows: readonly VersionRow[]): Promise<void> {
    for (const { fields, id } of rows) {
      if (fields.collection !== 'keys' || !isHardware(keyAttributes.read(fields.attributes).kind)) continue;
      const module = this.#module();
      const whole = this.#context.store.findAny('keys', fields.vault, fields.name, fields.version);
      if (whole === undefined || whole.id !== id) continue;
      using handle = await this.#context.store.openValue(whole);
      await module.destroy(handle.bytes);
    }
  }

  /** A key that was made but could not be written down. What made that fail is what the caller hears of. */
  async abandon(handle: SecretBytes): Promise<void> {
    await this.#module()
      .destroy(handle.bytes)
      .catch(() => undefined);
  }

  assertNone(rows: readonly VersionRow[]): void {
    if (!rows.some(({ fields }) => isHardware(keyAttributes.read(fields.attributes).kind))) return;
    throw impossible('backup of an HSM-protected key', 'it never leaves its HSM; use the means of the HSM');
  }

  #module(): KeyModule {
    const { module } = this.#context;
    if (module === undefined) throw impossible('an HSM-protected key', 'no HSM is set up');
    return module;
  }
}

/** The vault has this key: that its module has lost it is the operator's to know, and no "not found" for a client. */
function lostByModule(error: unknown): never {
  if (!hasCode(error, 'KNK-KVT-0003')) throw error;
  const details = { token: 'of the HSM-protected keys', reason: 'it does not hold this key' };
  throw new KannukiError('KNK-KVT-0042', { details, cause: error });
}

function impossible(what: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0026', { details: { what, reason } });
}
