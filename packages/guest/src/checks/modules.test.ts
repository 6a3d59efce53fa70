import type { GuestFacts } from '../facts/model.ts';
import { testAccepted, testCases } from './testing/cases.ts';

const modules = (dmCrypt: 'loaded' | 'missing', vfat: 'loaded' | 'missing'): Pick<GuestFacts, 'modules'> => ({
  modules: [
    { name: 'dm_crypt', state: dmCrypt, blockedBy: null },
    { name: 'vfat', state: vfat, blockedBy: null },
  ],
});

testCases([
  // REQ-038, REQ-102
  {
    what: 'no dm-crypt',
    facts: modules('missing', 'loaded'),
    rule: 'REQ-038',
    subject: 'dm-crypt',
    says: /module dm-crypt/,
  },
  { what: 'no vfat', facts: modules('loaded', 'missing'), rule: 'REQ-038', subject: 'vfat', says: /module vfat/ },
  // REQ-040
  {
    what: 'vfat blacklisted, though loaded now',
    facts: {
      modules: [
        { name: 'dm_crypt', state: 'loaded', blockedBy: null },
        { name: 'vfat', state: 'loaded', blockedBy: '/etc/modprobe.d/cis.conf: install vfat /bin/false' },
      ],
    },
    rule: 'REQ-040',
    subject: 'vfat',
    says: /cis\.conf: install vfat/,
  },
]);

testAccepted({
  'vfat in the kernel, whatever modprobe says': {
    modules: [
      { name: 'dm_crypt', state: 'built-in', blockedBy: null },
      { name: 'vfat', state: 'built-in', blockedBy: '/etc/modprobe.d/x.conf: blacklist vfat' },
    ],
  },
});
