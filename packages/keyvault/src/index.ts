export * from './escrow/escrow.ts';
export * from './escrow/kek.ts';
export * from './escrow/passphrase.ts';
export * from './escrow/receipt.ts';
export * from './escrow/release.ts';
export * from './object-id.ts';
export * from './port.ts';
export * from './remote/serve.ts';
