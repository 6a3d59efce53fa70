import { run } from '@kannuki/core';
import { measure } from '@kannuki/guest/tuning/measure';
import { plainTuning } from '@kannuki/guest/tuning/tuning';

/** A measurement that goes on until it is killed; a program of its own in the lab machine. */
const tunings = [plainTuning(512), plainTuning(4096)];
await measure(run, tunings, { rounds: 1_000_000, sliceMilliseconds: 5, limitMilliseconds: 600_000 });
