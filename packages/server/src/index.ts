export { parseServerConfig, type ServerConfig } from './config/server-config.ts';
export type { OnFailure } from './http/error-reply.ts';
export type { AdminFile } from './identity/admin-file.ts';
export { type AdminCallOptions, AdminClient } from './local-admin/client.ts';
export type * from './local-admin/contract.ts';
export { initServer, type RunningServer, type StartServerOptions, startServer } from './server.ts';
