export * from './fat/write-fat.ts';
export * from './luks2/finish.ts';
export * from './luks2/header.ts';
export * from './luks2/header-record.ts';
export * from './luks2/keyslot.ts';
export * from './luks2/model.ts';
export * from './luks2/progress.ts';
