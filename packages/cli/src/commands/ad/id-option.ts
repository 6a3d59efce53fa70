import { text } from '../../program/options.ts';

export const idOption = text(
  'ID',
  { en: 'application id or object id', ja: 'アプリケーション ID またはオブジェクト ID' },
  { required: true },
);
