import { testDataReadOnly } from './test-data-read-only.ts';

testDataReadOnly(['encrypt']);
