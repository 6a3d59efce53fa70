import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, type KannukiError } from '../errors/error.ts';
import { SecretBytes } from '../secrets/secret-bytes.ts';
import { run } from './run.ts';

/** Runs a line of shell: the real thing, no stand-in. */
function shell(line: string, options: Parameters<typeof run>[2] = {}): ReturnType<typeof run> {
  return run('/bin/sh', ['-c', line], { timeoutSeconds: 10, ...options });
}

test('gives exit code, standard output and standard error', async () => {
  assert.deepEqual(await shell('echo out; echo err >&2'), { exitCode: 0, stdout: 'out\n', stderr: 'err\n' });
});

test('an exit code that is not accepted is an error with the last lines of what was said', async () => {
  await assert.rejects(shell('echo one >&2; echo two >&2; exit 3'), (error: KannukiError) => {
    assert.ok(hasCode(error, 'KNK-CMD-0001'));
    assert.equal(error.details.exitCode, 3);
    assert.equal(error.details.detail, 'one | two');
    return true;
  });
});

test('an accepted exit code is an answer', async () => {
  assert.equal((await shell('exit 2', { accept: [0, 2] })).exitCode, 2);
  await assert.rejects(shell('exit 0', { accept: [2] }), (error) => hasCode(error, 'KNK-CMD-0001'));
});

test('a program that is ended by a signal is an error', async () => {
  await assert.rejects(shell('kill -TERM $$'), (error: KannukiError) => error.details.result === 'signal SIGTERM');
});

test('a program that is not installed is said so', async () => {
  await assert.rejects(run('/no/such/program', []), (error) => hasCode(error, 'KNK-CMD-0002'));
});

test('a program that does not end in time is killed, with its children', async () => {
  const started = performance.now();
  const pids: string[] = [];
  await assert.rejects(
    shell('sleep 60 & echo $!; wait', { timeoutSeconds: 0.3, onLine: (line) => pids.push(line) }),
    (error) => hasCode(error, 'KNK-CMD-0003'),
  );
  assert.ok(performance.now() - started < 5000);
  await sleep(50);
  assert.equal(await isRunning(pids[0] ?? ''), false);
});

test('an abort ends the program', async () => {
  const controller = new AbortController();
  const running = shell('sleep 60', { signal: controller.signal });
  controller.abort();
  await assert.rejects(running, (error) => hasCode(error, 'KNK-CMD-0001'));
});

test('a gentle end: the program is asked, ends its work by itself, and its exit code is an answer', async () => {
  const controller = new AbortController();
  const running = shell('trap "echo finished; exit 7" TERM; echo ready; while :; do sleep 0.02; done', {
    signal: controller.signal,
    gentle: { graceSeconds: 10 },
    accept: [7],
    onLine: (line) => line === 'ready' && controller.abort(),
  });
  const { exitCode, stdout } = await running;
  assert.deepEqual({ exitCode, stdout }, { exitCode: 7, stdout: 'ready\nfinished\n' });
});

test('a gentle end never kills: what does not end is left running, and that is said', async () => {
  const controller = new AbortController();
  const pids: string[] = [];
  const running = shell('trap "" TERM; echo $$; exec sleep 30', {
    signal: controller.signal,
    gentle: { graceSeconds: 0.2 },
    onLine: (line) => {
      pids.push(line);
      controller.abort();
    },
  });
  await assert.rejects(running, (error: KannukiError) => {
    assert.ok(hasCode(error, 'KNK-CMD-0004'));
    return error.details.pid === Number(pids[0]);
  });
  assert.equal(await isRunning(pids[0] ?? ''), true);
  process.kill(Number(pids[0]), 'SIGKILL');
});

test('a program with a gentle end outlives its reader: it ignores SIGPIPE, and others do not', async () => {
  const ignored = async (options: Parameters<typeof shell>[1]): Promise<boolean> => {
    const { stdout } = await shell('grep SigIgn /proc/self/status', options);
    // proc(5): a hexadecimal mask; SIGPIPE is 13, so bit 12.
    return (BigInt(`0x${stdout.split(/\s+/)[1]}`) & 0x1000n) !== 0n;
  };
  assert.deepEqual([await ignored({ gentle: { graceSeconds: 1 } }), await ignored({})], [true, false]);
});

test('a program with a gentle end that is not installed is told as any other', async () => {
  const running = run('kannuki-no-such-program', [], { gentle: { graceSeconds: 1 } });
  await assert.rejects(running, (error) => hasCode(error, 'KNK-CMD-0002'));
});

test('a program is not left running when the abort came before it', async () => {
  const started = performance.now();
  await assert.rejects(shell('sleep 60', { signal: AbortSignal.abort() }), (error) => hasCode(error, 'KNK-CMD-0001'));
  assert.ok(performance.now() - started < 5000);
});

test('a secret goes in on standard input and is nowhere else', async () => {
  const secret = SecretBytes.take(Buffer.from('s3cret-on-stdin\n\0binary'));
  const result = await shell('tr "\\0" "." ; tr "\\0" " " < /proc/$$/cmdline >&2; env >&2', { input: secret });
  assert.equal(result.stdout, 's3cret-on-stdin\n.binary');
  assert.doesNotMatch(result.stderr, /s3cret/);
});

test('a failing program that had a secret on standard input does not put it into the error', async () => {
  const secret = SecretBytes.take(Buffer.from('s3cret'));
  await assert.rejects(shell('cat > /dev/null; exit 1', { input: secret }), (error: KannukiError) => {
    assert.doesNotMatch(`${error.stack} ${JSON.stringify(error.details)}`, /s3cret/);
    return true;
  });
});

test('a program that does not read its input is no failure of ours', async () => {
  assert.equal((await shell('exec <&-; exit 0', { input: new Uint8Array(4 * 1024 * 1024) })).exitCode, 0);
});

test('the environment is ours alone: the caller’s variables do not reach the program', async () => {
  process.env.KANNUKI_TEST_LEAK = 'leaked';
  try {
    const { stdout } = await shell('env', { environment: { GIVEN: 'yes' } });
    assert.doesNotMatch(stdout, /KANNUKI_TEST_LEAK/);
    assert.match(stdout, /^GIVEN=yes$/m);
    assert.match(stdout, /^LC_ALL=C$/m);
    assert.match(stdout, /^PATH=/m);
  } finally {
    delete process.env.KANNUKI_TEST_LEAK;
  }
});

test('lines come one by one, also those that only carriage returns separate, as progress does', async () => {
  const lines: string[] = [];
  await shell('printf "10%%\\r20%%\\rdone\\n"; sleep 0.1; echo last', { onLine: (line) => lines.push(line) });
  assert.deepEqual(lines, ['10%', '20%', 'done', 'last']);
});

test('a descriptor is handed on as number 3', async () => {
  const { open } = await import('node:fs/promises');
  await using file = await open('/etc/hostname');
  const { stdout } = await shell('cat <&3', { descriptors: [file.fd] });
  assert.equal(stdout, await readFile('/etc/hostname', 'utf8'));
});

async function isRunning(pid: string): Promise<boolean> {
  try {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8');
    return !/^\d+ \(.*\) Z/.test(state);
  } catch {
    return false;
  }
}
