import { testOutOfMemory } from './test-out-of-memory.ts';

testOutOfMemory(['encrypt']);
