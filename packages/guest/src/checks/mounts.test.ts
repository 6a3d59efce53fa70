import { type Case, testAccepted, testCases, withLine, withMounts } from './testing/cases.ts';
import {
  dataDisk,
  dataLine,
  dataMount,
  dataPartition,
  device,
  formatted,
  healthyVm,
  line,
  mount,
  rootLine,
  rootMount,
} from './testing/vm.ts';

const secondDisk = formatted(device({ kernelName: 'sdd', number: '8:48' }), 'ext4', 'ddd');

testCases([
  ...['/var', '/usr', '/home', '/opt', '/tmp', '/var/log/audit'].map(
    (point): Case => ({
      what: `${point} on a data disk`,
      facts: {
        devices: [...healthyVm().devices, secondDisk],
        ...withMounts(mount({ number: '8:48', point, source: '/dev/sdd' })),
      },
      rule: 'REQ-040',
      subject: point,
      says: /on the data disk \/dev\/sdd/,
    }),
  ),
  // REQ-047, REQ-089
  {
    what: 'in fstab, not mounted',
    facts: { mounts: [rootMount] },
    rule: 'REQ-047',
    subject: '/dev/sdc1',
    says: /not mounted at \/data0/,
  },
  {
    what: 'not mounted',
    facts: { mounts: [rootMount], fstab: [rootLine] },
    rule: 'REQ-089',
    subject: '/dev/sdc1',
    says: /only mounted volumes/,
  },
  // REQ-092
  {
    what: 'a mount below',
    facts: withMounts(mount({ number: '0:50', point: '/data0/deep/er', fileSystem: 'tmpfs' })),
    rule: 'REQ-092',
    subject: '/data0',
    says: /\/data0\/deep\/er is mounted below \/data0/,
  },
  {
    what: 'a line of fstab below',
    facts: { fstab: [rootLine, dataLine, line(5, { source: 'LABEL=x', point: '/data0/2', device: null })] },
    rule: 'REQ-092',
    subject: '/data0',
    says: /\/data0\/2 is mounted below/,
  },
  {
    what: 'below another data volume',
    facts: {
      devices: [...healthyVm().devices, secondDisk],
      mounts: [rootMount, mount({ number: '8:48', point: '/1/data' }), { ...dataMount, point: '/1/data/2' }],
      ...withLine({ point: '/1/data/2', realPoint: '/1/data/2' }),
    },
    rule: 'REQ-092',
    subject: '/1/data/2',
    says: /lies below \/1\/data/,
  },
]);

testAccepted({
  'an application folder below /var/lib': {
    mounts: [rootMount, { ...dataMount, point: '/var/lib/postgresql' }],
    ...withLine({ point: '/var/lib/postgresql', realPoint: '/var/lib/postgresql' }),
  },
  'a machine whose root is no disk': {
    devices: [dataDisk, dataPartition],
    mounts: [mount({ number: '0:20', point: '/' }), dataMount],
  },
});
