import { homedir } from 'node:os';
import { join } from 'node:path';
import { AdminClient } from '@kannuki/server/local-admin/client';
import { text } from '../../program/options.ts';

/** Every command that speaks to the server of this machine has it. */
export const dataOption = text('DIR', {
  en: "the server's data folder; default KANNUKI_DATA, else /var/lib/kannuki-server (root) or ~/.local/state/kannuki-server",
  ja: 'サーバーのデータ フォルダー。既定は KANNUKI_DATA、なければ /var/lib/kannuki-server (root) または ~/.local/state/kannuki-server',
});

export function dataDirectory(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const named = option ?? environment.KANNUKI_DATA;
  if (named !== undefined && named !== '') return named;
  if (process.getuid?.() === 0) return '/var/lib/kannuki-server';
  return join(environment.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'kannuki-server');
}

/** The server of this machine, through the socket that only its owner can open. */
export function connectAdmin(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): AdminClient {
  return new AdminClient(dataDirectory(option, environment));
}
