import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spaceSentence } from './space-sentence.ts';

const gibibyte = 1024 ** 3;

test('both ways are told with bytes, time and downtime, and which one was chosen', () => {
  const wholeDisk = { bytes: 64 * gibibyte, seconds: 600.2, downtimeSeconds: 1 };
  const tail = { frontBytes: 4 * gibibyte, tailBytes: 60 * gibibyte };
  const usedOnly = { bytes: 4 * gibibyte, seconds: 70, downtimeSeconds: 3.1, ...tail };
  const { en, ja } = spaceSentence({
    point: '/data0',
    chosen: 'used',
    estimates: { wholeDisk, usedOnly },
    finding: null,
  });
  assert.equal(
    en,
    '/data0: the whole disk: 64.0 GiB in about 601 s, away for about 1 s; the used space only: 4.0 GiB in about 70 s, away for about 4 s. Chosen: the used space only.',
  );
  assert.match(ja, /64\.0 GiB.*4\.0 GiB.*使用領域だけ。$/);
});

test('where there is only one way it says why', () => {
  const message = { en: 'xfs cannot be shrunk', ja: 'xfs は縮小できません' };
  const finding = { rule: 'REQ-091', severity: 'refuse', subject: '/data0', message, remedy: message } as const;
  const { en } = spaceSentence({ point: '/data0', chosen: 'whole', estimates: null, finding });
  assert.equal(en, '/data0: the whole disk. xfs cannot be shrunk.');
});
