import { parseSupportAdditions, type SupportRules, supportRules } from '@kannuki/support';
import { readConfig } from '../../config/read-config.ts';
import { text } from '../../program/options.ts';

/** The option that every `support` command has. */
export const configOption = text('FILE', {
  en: 'configuration with more [[images]] and regions; default KANNUKI_CONFIG, then /etc/kannuki/kannuki.toml',
  ja: '[[images]] と regions を追加する設定ファイル。既定は KANNUKI_CONFIG、次に /etc/kannuki/kannuki.toml',
});

/** The rules with what the operator of this machine has added. */
export async function readRules(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SupportRules> {
  return supportRules(parseSupportAdditions(await readConfig(path, environment)));
}
