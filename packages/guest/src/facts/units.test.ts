import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeMachine } from './testing/fake-machine.ts';
import { readUnits, unitOfCgroup } from './units.ts';

test('the unit of a process from its cgroup, both versions', () => {
  const cases: readonly (readonly [string, string | undefined, boolean?])[] = [
    ['0::/system.slice/nginx.service\n', 'nginx.service', false],
    [
      String.raw`0::/system.slice/system-postgresql.slice/postgresql@15-my\x2dmain.service`,
      String.raw`postgresql@15-my\x2dmain.service`,
      false,
    ],
    ['12:cpu:/x\n1:name=systemd:/system.slice/cron.service\n0::/\n', 'cron.service', false],
    ['0::/db.slice/mongod.service\n', 'mongod.service', false],
    ['0::/user.slice/user-1000.slice/session-3.scope\n', 'session-3.scope', true],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/code.service\n', 'user@1000.service', true],
    ['0::/system.slice/docker-0123.scope\n', 'docker-0123.scope', false],
    ['0::/machine.slice/libpod-1.scope\n', 'libpod-1.scope', true],
    ['0::/init.scope\n', 'init.scope', false],
    ['0::/\n', undefined],
    ['0::/kubepods/besteffort/pod1/abc\n', undefined],
    ['', undefined],
    ['0::/system.slice/evil name;rm.service\n', undefined],
  ];
  for (const [cgroup, name, isOfSession] of cases) {
    const place = unitOfCgroup(cgroup);
    assert.equal(place?.name, name, cgroup);
    if (name !== undefined) assert.equal(place?.isOfSession, isOfSession, cgroup);
  }
});

const block = (id: string, changes: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    Id: id,
    LoadState: 'loaded',
    UnitFileState: 'enabled',
    RefuseManualStart: 'no',
    RefuseManualStop: 'no',
    Transient: 'no',
    TriggeredBy: '',
    ...changes,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

test('only services of the system that can be started again may be stopped', async () => {
  const answers: readonly (readonly [string, string, boolean])[] = [
    ['nginx.service', block('nginx.service'), true],
    ['run-u5.service', block('run-u5.service', { Transient: 'yes' }), false],
    ['x.service', block('x.service', { RefuseManualStop: 'yes' }), false],
    ['gone.service', block('gone.service', { LoadState: 'not-found' }), false],
    ['docker-1.scope', block('docker-1.scope'), false],
    ['systemd-journald.service', block('systemd-journald.service'), false],
    ['ssh.service', block('ssh.service'), false],
    ['kannuki-agent.service', block('kannuki-agent.service'), false],
  ];
  for (const [name, stdout, canBeStopped] of answers) {
    using machine = fakeMachine({}, { systemctl: stdout });
    const units = await readUnits(machine, [{ name, isOfSession: false }]);
    assert.equal(units.get(name)?.canBeStopped, canBeStopped, name);
  }
  using machine = fakeMachine({}, { systemctl: block('nginx.service') });
  const ofSession = await readUnits(machine, [{ name: 'nginx.service', isOfSession: true }]);
  assert.equal(ofSession.get('nginx.service')?.canBeStopped, false);
});

test('several units in one question, with what starts them again', async () => {
  const stdout = [
    block('a.service', { TriggeredBy: 'a.socket a.timer' }),
    block('b.service', { UnitFileState: 'static' }),
  ].join('\n');
  using machine = fakeMachine({}, { systemctl: stdout });
  const places = ['a.service', 'b.service'].map((name) => ({ name, isOfSession: false }));
  const units = await readUnits(machine, places);
  assert.equal(machine.ran.length, 1);
  assert.deepEqual(units.get('a.service')?.triggeredBy, ['a.socket', 'a.timer']);
  assert.deepEqual([units.get('b.service')?.fileState, units.get('b.service')?.triggeredBy], ['static', []]);
});

test('without systemd a unit has only its name, and nothing may be stopped', async () => {
  using machine = fakeMachine({});
  const units = await readUnits(machine, [{ name: 'a.service', isOfSession: false }]);
  assert.deepEqual(units.get('a.service'), { name: 'a.service', fileState: '', canBeStopped: false, triggeredBy: [] });
  assert.equal((await readUnits(machine, [])).size, 0);
});
