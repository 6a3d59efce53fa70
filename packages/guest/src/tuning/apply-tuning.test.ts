import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refreshOptions } from './apply-tuning.ts';
import { plainTuning } from './tuning.ts';

const both = { ...plainTuning(4096), noReadWorkqueue: true, noWriteWorkqueue: true };
const ours = ['--perf-no_read_workqueue', '--perf-no_write_workqueue'];
const cases = [
  { name: 'a fresh header gets both flags', stored: [], tuning: both, options: ours },
  {
    name: 'what is stored needs no second time',
    stored: ['no-write-workqueue', 'no-read-workqueue'],
    tuning: both,
    options: null,
  },
  { name: 'nothing wanted, nothing stored', stored: [], tuning: plainTuning(512), options: null },
  { name: 'flags that are no longer wanted go', stored: ['no-read-workqueue'], tuning: plainTuning(512), options: [] },
  {
    name: "the owner's flags stay, since refresh forgets what it is not told",
    stored: ['allow-discards', 'submit-from-crypt-cpus'],
    tuning: both,
    options: [...ours, '--allow-discards', '--perf-submit_from_crypt_cpus'],
  },
  {
    name: 'a flag of a newer cryptsetup: hands off',
    stored: ['something-new'],
    tuning: both,
    options: 'foreign-flags',
  },
];
for (const { name, stored, tuning, options } of cases) {
  test(`tuning flags: ${name}`, () => assert.deepEqual(refreshOptions(stored, tuning), options));
}
