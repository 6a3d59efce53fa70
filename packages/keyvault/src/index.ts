export * from './port.ts';
export * from './remote/serve.ts';
