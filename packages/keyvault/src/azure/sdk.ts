import { KannukiError } from '@kannuki/core';

/** The official packages; they are large and most installations need none of them, so they come when they are asked for. */
export interface AzureSdk {
  readonly identity: typeof import('@azure/identity');
  readonly keys: typeof import('@azure/keyvault-keys');
  readonly secrets: typeof import('@azure/keyvault-secrets');
}

export type LoadAzureSdk = () => Promise<AzureSdk>;

const packages = '@azure/identity @azure/keyvault-keys @azure/keyvault-secrets';

/** @throws KannukiError KNK-KVT-0052 where they are not installed */
export async function loadAzureSdk(vault: string, load: LoadAzureSdk = importAzureSdk): Promise<AzureSdk> {
  try {
    return await load();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new KannukiError('KNK-KVT-0052', { details: { vault, packages }, cause: error });
  }
}

async function importAzureSdk(): Promise<AzureSdk> {
  const [identity, keys, secrets] = await Promise.all([
    import('@azure/identity'),
    import('@azure/keyvault-keys'),
    import('@azure/keyvault-secrets'),
  ]);
  return { identity, keys, secrets };
}
