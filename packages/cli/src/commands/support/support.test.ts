import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runInProcess, runKannuki } from '../../testing/run-kannuki.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-support-'));
after(() => rmSync(folder, { recursive: true }));

const jammy = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest';

interface Answer {
  readonly supported: boolean;
  readonly findings: readonly { rule: string; severity: string; subject: string; message: string; remedy: string }[];
}

async function check(options: string, environment = {}): Promise<Answer & { readonly exitCode: number | null }> {
  const { exitCode, stdout, stderr } = await runInProcess(['support', 'check', ...options.split(' ')], environment);
  assert.equal(stderr, '');
  return { exitCode, ...(JSON.parse(stdout) as Answer) };
}

function refusals(answer: Answer): string[] {
  return answer.findings.filter((finding) => finding.severity === 'refuse').map((finding) => finding.rule);
}

test('a supported VM: exit code 0', async () => {
  const answer = await check(
    `--urn ${jammy} --size standard_d4DS_v5 --generation V2 --root-used-gb 3 --date 2026-11-23`,
  );
  assert.deepEqual(answer, { exitCode: 0, supported: true, findings: [] });
});

test('as a child process: the same answers, the same exit codes', async () => {
  for (const [size, code] of [
    ['Standard_D4ds_v5', 0],
    ['Basic_A1', 10],
  ] as const) {
    const args = `support check --urn ${jammy} --size ${size} --root-used-gb 3 --date 2026-11-23`.split(' ');
    assert.deepEqual(await runKannuki(args), await runInProcess(args));
    assert.equal((await runKannuki(args)).exitCode, code);
  }
});

test('a refused VM: exit code 10 and every finding, with the published keys', async () => {
  const answer = await check('--urn SUSE:SLES:12-SP4:latest --size Basic_A1 --volume-type os --date 2026-11-23');
  assert.equal(answer.exitCode, 10);
  assert.equal(answer.supported, false);
  assert.deepEqual(refusals(answer), ['REQ-030', 'REQ-035', 'REQ-018', 'REQ-023']);
  for (const finding of answer.findings) {
    assert.deepEqual(Object.keys(finding), ['rule', 'severity', 'subject', 'message', 'remedy']);
  }
});

test('each option reaches its check', async () => {
  const base = `--urn ${jammy} --size Standard_D4ds_v5 --root-used-gb 3 --date 2026-11-23`;
  const rows: [string, string][] = [
    ['--generation V1', 'REQ-015'],
    ['--root-used-gb 9', 'REQ-024'],
    ['--method legacy', 'REQ-037'],
    ['--encrypted-by legacy', 'REQ-010'],
    ['--date 2030-01-01', 'REQ-035'],
    ['--subscription-state Disabled', 'REQ-012'],
    ['--vm-region eastus --vault-region westus', 'REQ-062'],
    ['--vm-subscription a --vault-subscription b', 'REQ-063'],
    ['--kek-kind EC', 'REQ-068'],
    ['--kek-kind RSA --kek-bits 1024', 'REQ-068'],
    ['--target uniform-scale-set', 'REQ-276'],
    ['--size Standard_DS2_v2 --os-state EncryptionInProgress', 'REQ-026'],
    ['--urn RedHat:rhel-byos:rhel-lvm88-gen2:latest', 'REQ-034'],
  ];
  for (const [options, rule] of rows) {
    const answer = await check(`${base} ${options}`);
    assert.equal(answer.exitCode, 10, options);
    assert.ok(refusals(answer).includes(rule), `${options}: ${refusals(answer).join()}`);
  }
  const allowed = [
    '--urn RedHat:rhel-byos:rhel-lvm88-gen2:latest --byos-registered',
    '--size Standard_D2ds_v5 --os-state Encrypted --root-used-gb 16',
    '--premium --kek-kind RSA-HSM --kek-bits 2048 --vm-region eastus --vault-region EastUS',
    '--size my-own-size --memory-gb 8',
    '--volume-type DATA --size Standard_B2s --generation V2',
  ];
  for (const options of allowed) assert.equal((await check(`${base} ${options}`)).exitCode, 0, options);
});

test('messages in Japanese, keys and rules as they are', async () => {
  const { findings } = await check(`--urn ${jammy} --size Basic_A1`, { LANG: 'ja_JP.UTF-8' });
  const basic = findings.find((finding) => finding.rule === 'REQ-018');
  assert.equal(basic?.severity, 'refuse');
  assert.match(basic?.message ?? '', /利用できません/);
});

test('as a table, with the answer in a sentence for people on standard error', async () => {
  const { exitCode, stdout, stderr } = await runInProcess(
    `support check --urn ${jammy} --size Basic_A1 -o table`.split(' '),
  );
  assert.equal(exitCode, 10);
  assert.match(stdout, /^Severity {2}Rule/);
  assert.match(stdout, /refuse {4}REQ-018/);
  assert.equal(stderr, 'This VM cannot be encrypted.\n');
});

test('images: the 60 rows in order, the CentOS notice, and filters', async () => {
  const { exitCode, stdout } = await runKannuki(['support', 'images']);
  assert.equal(exitCode, 0);
  const rows = JSON.parse(stdout) as { urn: string; notice: string | null; volumes: string }[];
  assert.equal(rows.length, 60);
  assert.equal(rows[0]?.urn, 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts:latest');
  const noticed = rows.filter((row) => row.notice !== null);
  assert.equal(noticed.length, 12);
  assert.ok(noticed.every((row) => row.urn.startsWith('OpenLogic:')));
  const filtered = await runInProcess(['support', 'images', '--filter', 'redhat', '--query', 'length(@)']);
  assert.equal(filtered.stdout, '31\n');
});

test('sizes: all 1558, and what can be encrypted on them', async () => {
  const { stdout } = await runInProcess(['support', 'sizes']);
  const rows = JSON.parse(stdout) as { name: string; dataVolumes: boolean; osVolume: boolean; refusedBy: string[] }[];
  assert.equal(rows.length, 1558);
  const row = (name: string) => rows.find((one) => one.name === name);
  assert.deepEqual([row('Standard_B1s')?.dataVolumes, row('Standard_B1s')?.refusedBy], [false, ['REQ-022', 'REQ-023']]);
  assert.deepEqual([row('Standard_DS2_v2')?.dataVolumes, row('Standard_DS2_v2')?.osVolume], [true, false]);
  assert.deepEqual([row('Standard_D4s_v5')?.dataVolumes, row('Standard_D4s_v5')?.osVolume], [true, true]);
  const filtered = await runInProcess(['support', 'sizes', '--filter', 'd4S_V5', '--query', '[].name', '-o', 'tsv']);
  assert.equal(filtered.stdout, 'Standard_D4s_v5\n');
  assert.equal((await runInProcess(['support', 'sizes', '--filter', 'none such'])).stdout, '[]\n');
});

test('an operator’s image from the configuration, named by --config or by the environment', async () => {
  const file = join(folder, 'kannuki.toml');
  const urn = 'Debian:debian-12:12:latest';
  writeFileSync(
    file,
    `regions = ["lab"]\n\n[[images]]\nurn = "${urn}"\nvolumes = "os-and-data"\nreason = "built by us"\n`,
  );
  const facts = `--urn ${urn} --size Standard_D4s_v5 --vm-region lab`;
  assert.deepEqual(refusals(await check(facts)), ['REQ-028', 'REQ-012']);
  for (const answer of [await check(`${facts} --config ${file}`), await check(facts, { KANNUKI_CONFIG: file })]) {
    assert.equal(answer.exitCode, 0);
    assert.ok(answer.findings.some((finding) => finding.message.endsWith('built by us')));
  }
  const listed = await runKannuki([
    'support',
    'images',
    '--config',
    file,
    '--query',
    "[?source=='operator'].urn | [0]",
  ]);
  assert.equal(listed.stdout, `"${urn}"\n`);
});

test('a wrong configuration: exit code 78, and the file or the field is named', async () => {
  const file = join(folder, 'wrong.toml');
  const rows: [string, RegExp][] = [
    ['[[images]]\nurn = "x"\nvolumes = "os-and-data"\nreason = "y"\n', /KNK-SUP-0001.*images\[0\]\.urn/],
    ['this is no toml', /KNK-CLI-0009.*wrong\.toml/],
  ];
  for (const [content, expected] of rows) {
    writeFileSync(file, content);
    const { exitCode, stderr } = await runInProcess(['support', 'images', '--config', file]);
    assert.equal(exitCode, 78);
    assert.match(stderr, expected);
  }
  const missing = await runInProcess(['support', 'images', '--config', join(folder, 'missing.toml')]);
  assert.equal(missing.exitCode, 78);
});
