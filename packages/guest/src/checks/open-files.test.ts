import { testAccepted, testCases, withMounts } from './testing/cases.ts';
import { mount, openFile } from './testing/vm.ts';

const postgres = { name: 'postgresql@15-main.service', fileState: 'enabled', canBeStopped: true, triggeredBy: [] };
const session = { name: 'session-3.scope', fileState: 'transient', canBeStopped: false, triggeredBy: [] };

testCases([
  // REQ-050, REQ-051
  {
    what: 'a service has files open',
    facts: {
      openFiles: [openFile(812, 'postgres', { unit: postgres }), openFile(813, 'postgres', { unit: postgres })],
    },
    rule: 'REQ-050',
    subject: '/data0',
    says: /postgresql@15-main\.service \(enabled: starts at boot\).*812 \(postgres\), 813 \(postgres\)/,
  },
  {
    what: 'a service has files open and may be stopped',
    facts: { openFiles: [openFile(812, 'postgres', { unit: postgres })] },
    options: { stopServices: true },
    rule: 'REQ-050',
    severity: 'note',
    subject: '/data0',
    says: /started again/,
  },
  {
    what: 'a shell stands in the volume, whatever may be stopped',
    facts: { openFiles: [openFile(99, 'bash', { unit: session })] },
    options: { stopServices: true },
    rule: 'REQ-051',
    subject: '/data0',
    says: /session-3\.scope .*99 \(bash\)/,
  },
  {
    what: 'a process without a unit',
    facts: { openFiles: [openFile(7, 'tail')] },
    rule: 'REQ-051',
    subject: '/data0',
    says: /process 7 \(tail\).*\/data0\/file/,
  },
  {
    what: 'processes that cannot be looked into',
    facts: { hiddenProcesses: [1] },
    rule: 'REQ-051',
    severity: 'note',
    subject: '/data0',
    says: /hides the open files of 1/,
  },
  {
    what: 'a swap file on the volume',
    facts: { swaps: [{ path: '/data0/swap', kind: 'file' }] },
    rule: 'REQ-051',
    subject: '/data0',
    says: /swapoff \/data0\/swap/,
  },
  {
    what: 'a loop device on the volume',
    facts: { loops: [{ kernelName: 'loop3', file: '/data0/disk.img' }] },
    rule: 'REQ-051',
    subject: '/data0',
    says: /losetup --detach \/dev\/loop3/,
  },
  {
    what: 'a bind mount',
    facts: withMounts(mount({ number: '8:33', point: '/srv/x', root: '/x' })),
    rule: 'REQ-051',
    subject: '/data0',
    says: /mounted at \/srv\/x too/,
  },
  {
    what: 'something mounted over it',
    facts: withMounts(mount({ number: '0:50', point: '/data0', fileSystem: 'tmpfs' })),
    rule: 'REQ-051',
    subject: '/data0',
    says: /another mount \(tmpfs\)/,
  },
  {
    what: 'a service with a namespace of its own, which may be stopped',
    facts: { foreignMounts: [{ number: '8:33', point: '/data0/db', pid: 812, command: 'postgres', unit: postgres }] },
    options: { stopServices: true },
    rule: 'REQ-051',
    severity: 'note',
    subject: '/data0',
    says: /postgres\) postgresql@15-main\.service holds/,
  },
  {
    what: 'a container holds it',
    facts: { foreignMounts: [{ number: '8:33', point: '/mnt', pid: 4711, command: 'java', unit: null }] },
    rule: 'REQ-051',
    subject: '/data0',
    says: /process 4711 \(java\) holds/,
  },
]);

testAccepted({
  'open files elsewhere': { openFiles: [openFile(5, 'x', { number: '8:1' })] },
});
