import { testKilled } from './test-killed.ts';

testKilled(['encrypt']);
