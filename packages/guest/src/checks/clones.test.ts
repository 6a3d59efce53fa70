import { testAccepted, testCases, withData } from './testing/cases.ts';
import { dataUuid, device, formatted } from './testing/vm.ts';

testCases([
  {
    what: 'a clone with the same UUID',
    facts: withData({}, formatted(device({ kernelName: 'sde1', number: '8:65', type: 'part' }), 'ext4', dataUuid)),
    rule: 'REQ-043',
    subject: '/data0',
    says: /\/dev\/sde1 has the same file system UUID/,
  },
  {
    what: 'no lasting name',
    facts: withData({ links: [`/dev/disk/by-uuid/${dataUuid}`], serial: null }),
    rule: 'REQ-043',
    severity: 'warn',
    subject: '/data0',
    says: /has no name below/,
  },
]);

testAccepted({
  'a mirror below shows the same UUID': withData(
    { type: 'raid1', parents: ['sdd'] },
    { ...formatted(device({ kernelName: 'sdd', number: '8:48' }), 'ext4', dataUuid), children: ['sdc1'] },
  ),
});
