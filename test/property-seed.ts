import fc from 'fast-check';

/**
 * Loaded before every test file. Property tests take the same values in each run, so that a red run is about the change
 * and never about chance; `npm run fuzz -- --runs N --seed S` is the place that looks for new ones.
 */
const seed = Number(process.env.KANNUKI_PROPERTY_SEED ?? '1');
fc.configureGlobal({ seed });
