import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFaults } from './run-faults.ts';
import type { ZeroBlocksInput, ZeroBlocksResult } from './scenarios/zero-blocks.ts';

test('blocks of zeros are encrypted as all others, and files of zeros come back as they were, both ways', async () => {
  const { endings } = await runFaults<ZeroBlocksInput, ZeroBlocksResult>('zero-blocks.ts', {
    operations: ['encrypt', 'decrypt'],
  });
  for (const { operation, wrongs, damaged } of endings) assert.deepEqual([wrongs, damaged], [[], []], operation);
  const [encrypted, plain] = endings;
  // Not one block was skipped; and in plain there are many, or the test would prove nothing.
  assert.equal(encrypted?.zeroBlocks, 0);
  assert.ok((plain?.zeroBlocks ?? 0) > 6000, `${plain?.zeroBlocks} blocks of zeros on the plain disk`);
});
