export * from './agent/index.ts';
export * from './vault/open-guest-vault.ts';
export * from './volumes/engine.ts';
export * from './volumes/events.ts';
export { type FinishingCheck, finishingCheck } from './volumes/finishing-check.ts';
export type { Journal } from './volumes/journal.ts';
