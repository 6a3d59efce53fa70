import { RestClient } from '../rest-client.ts';
import type { ServerProcess } from '../server-process.ts';

/** Fills a vault with so many small secrets, through the front door. */
export async function seedSecrets(server: ServerProcess, vault: string, count: number): Promise<void> {
  await using client = new RestClient(server.admin, 16);
  await client.token('https://vault.azure.net');
  const numbers = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const number of numbers) {
        const { status } = await client.vault(vault, 'PUT', `/secrets/seed-${number}`, { value: `value ${number}` });
        if (status !== 200) throw new Error(`a secret was refused: ${status}`);
      }
    }),
  );
}
