import type { Severity, Text } from '@kannuki/core';
import kekFile from '../data/kek.json' with { type: 'json' };
import legacyFile from '../data/legacy-method.json' with { type: 'json' };
import memoryFile from '../data/memory.json' with { type: 'json' };
import regionsFile from '../data/regions.json' with { type: 'json' };
import seriesFile from '../data/size-series.json' with { type: 'json' };
import subscriptionFile from '../data/subscription-states.json' with { type: 'json' };
import { Fields } from './fields.ts';

/** One row of the memory table (REQ-022..REQ-024). Gigabytes as the table writes them: 8 = 8192 MiB. */
export interface MemoryRule {
  readonly requirement: string;
  /** `os`: the OS volume is to be encrypted, alone or with data volumes. */
  readonly volumes: 'data' | 'os';
  readonly rootUsedGbAtMost?: number;
  readonly rootUsedGbAbove?: number;
  /** Fixed minimum, or a factor of the space used on `/`. */
  readonly minimumMemoryGb?: number;
  readonly rootUsedFactor?: number;
}

/** Sizes with a rule of their own, found by name: a size that is not in the table is caught too. */
export interface SizeSeries {
  readonly id: string;
  readonly requirement: string;
  readonly severity: Severity;
  readonly pattern: RegExp;
  readonly name: Text;
  readonly source: string;
}

export interface Region {
  readonly name: string;
  readonly displayName: string;
}

export interface LegacyMethodRules {
  /** Newest RHEL release that the earlier method works with. */
  readonly newestRhel: string;
  /** Newest major version of the default Python that it works with. */
  readonly newestPython: number;
}

export interface KekRules {
  readonly kinds: readonly string[];
  readonly bits: readonly number[];
}

export interface SubscriptionRules {
  readonly usable: readonly string[];
  readonly ending: readonly string[];
}

export function loadMemory(): readonly MemoryRule[] {
  const known = ['requirement', 'volumes', 'rootUsedGbAtMost', 'rootUsedGbAbove', 'minimumMemoryGb', 'rootUsedFactor'];
  return Fields.of(memoryFile, 'memory.json', ['comment', 'source', 'rules']).list('rules', (value, where) => {
    const fields = Fields.of(value, where, known);
    const optional = (name: string): object => (fields.has(name) ? { [name]: fields.number(name) } : {});
    return {
      requirement: fields.text('requirement', /^REQ-\d{3}$/),
      volumes: fields.oneOf('volumes', ['data', 'os']),
      ...optional('rootUsedGbAtMost'),
      ...optional('rootUsedGbAbove'),
      ...optional('minimumMemoryGb'),
      ...optional('rootUsedFactor'),
    };
  });
}

export function loadSeries(): readonly SizeSeries[] {
  return Fields.of(seriesFile, 'size-series.json', ['comment', 'series']).list('series', (value, where) => {
    const fields = Fields.of(value, where, ['id', 'requirement', 'severity', 'pattern', 'name', 'source']);
    return {
      id: fields.text('id'),
      requirement: fields.text('requirement', /^REQ-\d{3}$/),
      severity: fields.oneOf('severity', ['refuse', 'warn', 'note']),
      pattern: fields.expression('pattern'),
      name: fields.nested('name', readTextPair),
      source: fields.text('source'),
    };
  });
}

function readTextPair(value: unknown, where: string): Text {
  const fields = Fields.of(value, where, ['en', 'ja']);
  return { en: fields.text('en'), ja: fields.text('ja') };
}

export function loadRegions(): readonly Region[] {
  return Fields.of(regionsFile, 'regions.json', ['comment', 'source', 'regions']).list('regions', (value, where) => {
    const fields = Fields.of(value, where, ['name', 'displayName']);
    return { name: fields.text('name', /^[a-z0-9]+$/), displayName: fields.text('displayName') };
  });
}

export function loadLegacyMethod(): LegacyMethodRules {
  const fields = Fields.of(legacyFile, 'legacy-method.json', ['comment', 'source', 'newestRhel', 'newestPython']);
  return { newestRhel: fields.text('newestRhel', /^\d+\.\d+$/), newestPython: fields.number('newestPython') };
}

export function loadKek(): KekRules {
  const fields = Fields.of(kekFile, 'kek.json', ['comment', 'source', 'kinds', 'bits']);
  return { kinds: fields.texts('kinds'), bits: fields.list('bits', Number) };
}

export function loadSubscriptionStates(): SubscriptionRules {
  const fields = Fields.of(subscriptionFile, 'subscription-states.json', ['comment', 'source', 'usable', 'ending']);
  return { usable: fields.texts('usable'), ending: fields.texts('ending') };
}
