import { open } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';
import { idOption } from './id-option.ts';

export const command = defineCommand({
  description: {
    en: 'Gives a service principal a new secret, shown once; its other secrets and certificates stop to work. With --cert it gets a certificate to prove itself with instead, and keeps what it has.',
    ja: 'サービス プリンシパルに新しいシークレットを発行します (表示は一度だけ)。既存のシークレットと証明書は無効になります。--cert を指定すると、代わりに認証用の証明書を追加し、既存の資格情報はそのまま残します。',
  },
  options: {
    id: idOption,
    cert: text('FILE', {
      en: 'X.509 certificate in PEM, without its private key',
      ja: 'X.509 証明書 (PEM、秘密鍵を含まないもの)',
    }),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki ad sp reset-credentials --id 6c0f3f3e-5b0a-4c55-9f0e-2f9d1f1f7a11',
      does: { en: 'a new secret', ja: '新しいシークレットを発行する' },
    },
    {
      line: 'kannuki ad sp reset-credentials --id 6c0f3f3e-5b0a-4c55-9f0e-2f9d1f1f7a11 --cert client.pem',
      does: { en: 'a certificate besides', ja: '証明書を追加する' },
    },
  ],
  async run({ options: { id, cert, data } }, context) {
    const server = connectAdmin(data, context.environment);
    if (cert === undefined) return { data: await server.call('ad-sp-reset', { id }) };
    return { data: await server.call('ad-sp-add-certificate', { id, certificate: await readCertificate(cert) }) };
  },
});

const longestCertificate = 16_384;

/** @throws KannukiError KNK-IDT-0003 */
async function readCertificate(path: string): Promise<string> {
  const unusable = (reason: string, cause?: unknown): KannukiError =>
    new KannukiError('KNK-IDT-0003', { details: { reason }, cause });
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(longestCertificate + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > longestCertificate) throw unusable(`${path} is too long`);
    return buffer.toString('latin1', 0, bytesRead);
  } catch (error) {
    if (error instanceof KannukiError) throw error;
    throw unusable(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
}
