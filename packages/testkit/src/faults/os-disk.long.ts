import { testOsDisk } from './test-os-disk.ts';

testOsDisk(['encrypt'], 'full');
testOsDisk(['decrypt'], 'read-only');
