import { mebibyte, space, testAccepted, testCases } from './testing/cases.ts';
import { gibibyte } from './testing/vm.ts';

testCases([
  // Space, memory, cryptsetup
  {
    what: 'full /var',
    facts: space('/var/lib/kannuki', { freeBytes: 63 * mebibyte }),
    rule: 'REQ-096',
    subject: '/var/lib/kannuki',
    says: /64 MiB .*free are 63 MiB/,
  },
  {
    what: 'no inodes in /var',
    facts: space('/var/lib/kannuki', { freeInodes: 1 }),
    rule: 'REQ-096',
    subject: '/var/lib/kannuki',
    says: /4 inodes/,
  },
  {
    what: 'read-only /var',
    facts: space('/var/lib/kannuki', { readOnly: true }),
    rule: 'REQ-096',
    subject: '/var/lib/kannuki',
    says: /is read-only/,
  },
  {
    what: 'full /boot',
    facts: space('/boot', { freeBytes: 2 * mebibyte }),
    rule: 'REQ-053',
    subject: '/boot',
    says: /2 MiB free/,
  },
  {
    what: 'tight /boot',
    facts: space('/boot', { freeBytes: 40 * mebibyte }),
    rule: 'REQ-053',
    severity: 'warn',
    subject: '/boot',
    says: /40 MiB free/,
  },
  {
    what: 'too little memory',
    facts: { memory: { totalBytes: gibibyte, availableBytes: 127 * mebibyte } },
    rule: 'REQ-020',
    subject: 'memory',
    says: /128 MiB .*127 MiB/,
  },
  {
    what: 'little memory',
    facts: { memory: { totalBytes: 511 * mebibyte, availableBytes: 300 * mebibyte } },
    rule: 'REQ-020',
    severity: 'warn',
    subject: 'memory',
    says: /only 511 MiB/,
  },
]);

testAccepted({
  'inodes without a fixed number': space('/var/lib/kannuki', { freeInodes: null }),
});
