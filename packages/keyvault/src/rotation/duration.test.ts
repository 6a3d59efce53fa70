import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDuration, shifted } from './duration.ts';

const at = (text: string): number => Date.parse(`${text}T12:00:00Z`);

describe('durations of rotation policies', () => {
  for (const [text, from, after, before] of [
    ['P90D', '2026-01-01', '2026-04-01', '2025-10-03'],
    ['P1M', '2026-01-31', '2026-02-28', '2025-12-31'],
    ['P1Y', '2028-02-29', '2029-02-28', '2027-02-28'],
    ['P1Y6M', '2026-08-31', '2028-02-29', '2025-02-28'],
    ['P2W', '2026-03-01', '2026-03-15', '2026-02-15'],
    ['PT48H', '2026-03-01', '2026-03-03', '2026-02-27'],
  ] as const) {
    it(`count ${text} by the calendar`, () => {
      const duration = parseDuration(text);
      assert.ok(duration);
      assert.equal(new Date(shifted(at(from), duration, 1)).toISOString(), new Date(at(after)).toISOString());
      assert.equal(new Date(shifted(at(from), duration, -1)).toISOString(), new Date(at(before)).toISOString());
    });
  }

  it('are nothing else', () => {
    for (const wrong of [
      '',
      'P',
      'PT',
      'P0D',
      '90D',
      'P-1D',
      'p90d',
      'P1.5D',
      'P1D ',
      'P1DT',
      'P1D1Y',
      'P999999D',
      'P30S',
    ]) {
      assert.equal(parseDuration(wrong), undefined, wrong);
    }
  });
});
