import { labInput, labResult } from '../../lab/inside.ts';
import { type Attempt, type Ending, FaultVm, type FaultVmInput } from '../fault-vm.ts';
import { breakOsDisk, mendOsDisk, mountAsDistributionsDo, type OsDiskFault } from '../os-disk.ts';

/**
 * Inside a lab machine: the OS disk takes no more writes right after one step of an operation, and the steps behind it find it so. Then
 * it is mended, the same command goes on, and the same happens after the next step; and once in the middle of each conversion.
 */
export interface OsDiskInput extends FaultVmInput {
  readonly operations: readonly string[];
  readonly fault: OsDiskFault;
}

export interface OsDiskResult {
  readonly attempts: readonly Attempt[];
  readonly endings: readonly Ending[];
}

const input = await labInput<OsDiskInput>();
const vm = await FaultVm.make(input);
await mountAsDistributionsDo();
const attempts: Attempt[] = [];
const endings: Ending[] = [];
for (const operation of input.operations) {
  await vm.prepareFor(operation);
  const tried = new Set<string>();
  for (let struck = true; struck; ) {
    let where = '';
    const strike = (place: string): void => {
      if (where !== '' || tried.has(place)) return;
      tried.add(place);
      where = place;
      breakOsDisk(input.fault);
    };
    const attempt = await vm.attempt(operation, () => where, {
      onEvent: (event) => {
        if (event.kind === 'step' && event.step !== 'finished') strike(`after ${event.step}`);
        if (event.kind === 'progress') strike('in the conversion');
      },
    });
    struck = where !== '';
    if (struck) {
      attempts.push(attempt);
      await mendOsDisk(input.fault);
    } else if (attempt.code !== null) throw new Error(attempt.message);
    // What was left to do did not need the disk.
    if (attempt.code === null) break;
  }
  if (operation === 'format') vm.forgetFiles();
  endings.push(await vm.judgeEnding(operation));
}
labResult({ attempts, endings } satisfies OsDiskResult);
