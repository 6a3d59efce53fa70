/** What became of one of several volumes. */
export type Outcome<Result> =
  | { readonly target: string; readonly result: Result }
  | { readonly target: string; readonly error: unknown };

export interface Job {
  readonly target: string;
  /** Names of the physical disks below; none where they are not known: then it shares them with nobody. */
  readonly disks: readonly string[];
}

/**
 * Does the same to several volumes: side by side where they lie on different disks, one after the other where they share one,
 * since two conversions on one disk only make its heads (or its queue) go back and forth. A failure of one does not stop
 * the others.
 * @returns the outcomes in the order of the jobs
 */
export async function sideBySide<Result>(
  jobs: readonly Job[],
  action: (target: string) => Promise<Result>,
): Promise<readonly Outcome<Result>[]> {
  const busy = new Map<string, Promise<unknown>>();
  const running = jobs.map(({ target, disks }) => {
    const before = disks.map((disk) => busy.get(disk) ?? Promise.resolve());
    const outcome = Promise.all(before).then(() => outcomeOf(target, action));
    for (const disk of disks) busy.set(disk, outcome);
    return outcome;
  });
  return Promise.all(running);
}

async function outcomeOf<Result>(
  target: string,
  action: (target: string) => Promise<Result>,
): Promise<Outcome<Result>> {
  try {
    return { target, result: await action(target) };
  } catch (error) {
    return { target, error };
  }
}
