/** The one table of process exit codes (docs/errors.md says the same; sysexits.h where it has the meaning). */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 10,
  unavailable: 69,
  tryAgain: 75,
  notPermitted: 77,
  badConfiguration: 78,
} as const;

export type ExitName = keyof typeof exitCodes;
