import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryDataPlane } from '../testing/memory-data-plane.ts';
import { azureLimits, type Charge, Throttle } from './throttle.ts';

const vault = { name: 'kv1', subscriptionId: 's1' };
const secret = (isCreation: boolean): Charge => ({ collection: 'secrets', isCreation });

/** How many calls pass, one after the other, before one is refused. */
function passed(throttle: Throttle, charge: Charge, of = vault): number {
  let count = 0;
  while (throttle.admit(of, charge) === 0) count += 1;
  return count;
}

describe('the throttle', () => {
  const rows: [charge: Charge, limit: number][] = [
    [secret(true), 300],
    [secret(false), 4000],
  ];
  for (const protection of ['hardware', 'software'] as const) {
    for (const [shape, { create, other }] of Object.entries(azureLimits.keys[protection])) {
      const charge = { collection: 'keys', hardware: protection === 'hardware', shape: shape as 'EC' } as const;
      rows.push([{ ...charge, isCreation: true }, create], [{ ...charge, isCreation: false }, other]);
    }
  }
  for (const [charge, limit] of rows) {
    it(`lets ${limit} pass of ${JSON.stringify(charge)}, in each window`, () => {
      let time = 1_000_000;
      const throttle = new Throttle(azureLimits, () => time);
      assert.equal(passed(throttle, charge), limit);
      time += azureLimits.windowMilliseconds - 1;
      assert.equal(throttle.admit(vault, charge), 1);
      time += 1;
      assert.equal(passed(throttle, charge), limit);
    });
  }

  it('adds the parts of different kinds up to one', () => {
    const throttle = new Throttle(azureLimits, () => 0);
    const key = (hardware: boolean, isCreation: boolean): Charge => ({
      collection: 'keys',
      shape: 'RSA-2048',
      hardware,
      isCreation,
    });
    for (let count = 0; count < 5; count += 1) assert.equal(throttle.admit(vault, key(true, true)), 0);
    for (let count = 0; count < 5; count += 1) assert.equal(throttle.admit(vault, key(false, true)), 0);
    assert.equal(passed(throttle, key(false, false)), 1000, 'a half and a quarter are used up');
    assert.equal(throttle.admit(vault, key(true, false)), 10);
    assert.equal(throttle.admit(vault, secret(true)), 0, 'secrets have limits of their own');
  });

  it('gives a subscription five times what a vault has, whatever the case of the names', () => {
    const throttle = new Throttle(azureLimits, () => 0);
    const counts = Array.from({ length: 6 }, (_, at) =>
      passed(throttle, secret(true), { name: `kv${at}`, subscriptionId: at % 2 === 0 ? 's1' : 'S1' }),
    );
    assert.deepEqual(counts, [300, 300, 300, 300, 300, 0]);
    assert.equal(passed(throttle, secret(true), { name: 'KV0', subscriptionId: 's2' }), 0);
    assert.equal(passed(throttle, secret(true), { name: 'kv9', subscriptionId: 's2' }), 300);
  });

  it('does not keep anyone waiting when the clock goes back', () => {
    let time = 1_000_000_000;
    const throttle = new Throttle(azureLimits, () => time);
    passed(throttle, secret(true));
    time = 5000;
    assert.equal(throttle.admit(vault, secret(true)), 0);
  });
});

describe('a throttled vault', () => {
  it('answers 429 with Retry-After, weighs by the kind of key and does nothing', async () => {
    const limits = { ...azureLimits, keys: { ...azureLimits.keys, software: { ...azureLimits.keys.software } } };
    limits.keys.software['RSA-3072'] = { create: 2, other: 2 };
    const service = new MemoryDataPlane({ throttle: limits });
    assert.equal((await service.send('POST', '/keys/k/create', { kty: 'RSA', key_size: 3072 })).status, 200);
    assert.equal((await service.send('GET', '/keys/k')).status, 200);
    for (const [method, path, body] of [
      ['GET', '/keys/k', ''],
      ['POST', '/keys/k2/create', { kty: 'RSA', key_size: 3072 }],
    ] as const) {
      const refused = await service.send(method, path, body);
      assert.equal(refused.status, 429);
      assert.equal(refused.headers['retry-after'], '10');
      assert.match(refused.text, /"code":"Throttled"/);
    }
    assert.equal((await service.send('GET', '/keys/nothing')).status, 429, 'even the smallest part is too much');
    assert.equal((await service.send('GET', '/secrets/nothing')).status, 404);
    service.time += 10_000;
    assert.equal((await service.send('GET', '/keys/k2')).status, 404);
    assert.deepEqual(service.records.map(({ status, error }) => [status, error]).slice(2, 4), [
      [429, 'Throttled'],
      [429, 'Throttled'],
    ]);
  });

  it('is not throttled where no limits are given', async () => {
    const service = new MemoryDataPlane({ throttle: null });
    const answers = await Promise.all(
      Array.from({ length: 400 }, () => service.send('PUT', '/secrets/s', { value: 'v' })),
    );
    assert.ok(answers.every(({ status }) => status === 200));
  });
});
