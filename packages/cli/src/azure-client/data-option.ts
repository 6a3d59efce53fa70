import { text } from '../program/options.ts';

/** Every command that speaks Azure's protocols has it: where it is given, who is logged in does not matter. */
export const dataOption = text('DIR', {
  en: "data folder of the server of this machine: ask it through its administrator's socket, even when logged in elsewhere; without a login the default is KANNUKI_DATA, else /var/lib/kannuki-server (root) or ~/.local/state/kannuki-server",
  ja: 'このマシンのサーバーのデータ フォルダー。ログイン中でも管理者用ソケットで接続する。ログインしていない場合の既定は KANNUKI_DATA、なければ /var/lib/kannuki-server (root) または ~/.local/state/kannuki-server',
});
