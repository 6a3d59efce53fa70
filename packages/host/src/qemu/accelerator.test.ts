import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { acceleratorArguments, probeAccelerator } from './accelerator.ts';

test('the probe ends in time, and what it chooses does start a machine', async () => {
  const before = Date.now();
  const accelerator = await probeAccelerator();
  assert.ok(Date.now() - before < 20_000);
  const machine = ['-machine', 'pc', '-nodefaults', '-no-user-config', '-display', 'none', '-m', '16', '-S'];
  await run('qemu-system-x86_64', [...machine, ...acceleratorArguments(accelerator), '-qmp', 'stdio'], {
    input: '{"execute":"qmp_capabilities"}{"execute":"quit"}',
    timeoutSeconds: 20,
  });
});
