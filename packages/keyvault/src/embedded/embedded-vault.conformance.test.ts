import { ScratchVault } from '../testing/scratch-vaults.ts';
import { type ConformanceSubject, vaultConformance } from '../testing/vault-conformance.ts';

async function subject(): Promise<ConformanceSubject> {
  const scratch = await ScratchVault.make();
  const { vault } = scratch;
  const wrapOnly = await vault.createKey('wrap-only', { operations: ['wrapKey'] });
  return {
    vault,
    createKek: async (name) => (await vault.createKey(name)).id,
    disableKey: (id) => vault.setKeyEnabled(id, false),
    disableSecret: (id) => vault.setSecretEnabled(id, false),
    enableSecret: (id) => vault.setSecretEnabled(id, true),
    forbidden: { unwrapKey: () => vault.unwrapKey(wrapOnly.id, 'RSA-OAEP', Buffer.alloc(256)) },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

vaultConformance('the embedded vault', subject, {
  algorithms: ['RSA-OAEP', 'RSA-OAEP-256'],
  without: { unreachable: 'it is a file, not a service' },
});
