import { testIoErrors } from './test-io-errors.ts';

testIoErrors({ operation: 'encrypt', disk: 'vm-data', behaviour: { kind: 'write-errors' } });
