export { Host, type HostOptions } from './host.ts';
export type { GuestProgram } from './images/guest-program.ts';
export { recipes } from './images/recipe.ts';
export { keyVolumeSerial } from './key-volume/key-volume.ts';
export type * from './port.ts';
