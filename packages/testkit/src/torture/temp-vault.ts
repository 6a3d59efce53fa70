import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { SecretBytes } from '@kannuki/core';
const path = '/mnt/keep/v.json';
export async function openVault(url: string): Promise<any> {
  const load = (): any => existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  let n = 0;
  return { vaultUri: url,
    async setSecret(name: string, value: SecretBytes, a: any) { const d = load(); const id = `https://lab.vault.x/secrets/${name}/${(Date.now().toString(16)+(n++).toString(16)).padStart(32,'0')}`; d[id] = { v: Buffer.from(value.bytes).toString('base64'), a }; writeFileSync(path, JSON.stringify(d)); return { id }; },
    async getSecret(id: string) { const d = load()[id]; return { id, enabled: true, value: SecretBytes.take(Buffer.from(d.v, 'base64')), ...d.a }; } };
}
