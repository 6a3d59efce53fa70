import { testIoErrors } from './test-io-errors.ts';

testIoErrors({ operation: 'encrypt', disk: 'vm-data', behaviour: { kind: 'write-errors' } });
// The disk is pulled out.
testIoErrors({ operation: 'decrypt', disk: 'vm-data', behaviour: { kind: 'dead-from', bytes: 0 } });
