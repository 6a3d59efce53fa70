import sizesFile from '../data/vm-sizes.json' with { type: 'json' };
import { type Generation, generations } from '../images/image.ts';
import { Fields, ShapeError } from '../rules/fields.ts';

/** What is known of a VM size. */
export interface VmSize {
  readonly name: string;
  readonly family: string;
  readonly vCpus: number;
  /** Cores that the guest gets; fewer than `vCpus` for constrained names. Plays no part in support (REQ-080). */
  readonly vCpusAvailable: number;
  readonly memoryMib: number;
  readonly maxDataDisks: number;
  readonly premiumIo: boolean;
  readonly generations: readonly Generation[];
  /** 0 = none, null = unknown. */
  readonly temporaryDiskMib: number | null;
  readonly temporaryDiskKind: 'scsi' | 'nvme' | 'none' | 'unknown';
  readonly architecture: 'x64' | 'arm64';
  readonly encryptionAtHost: boolean | null;
}

/** The columns that the data file must have, in this order: rows are plain lists to keep the file small. */
const columns = [
  'name',
  'family',
  'vCPUs',
  'vCPUsAvailable',
  'memoryMiB',
  'maxDataDisks',
  'premiumIO',
  'hyperVGenerations',
  'localTempDiskMiB',
  'localTempDiskKind',
  'architecture',
  'encryptionAtHost',
];

/** All public VM sizes, in the order of the data file. */
export function loadSizes(): readonly VmSize[] {
  const file = Fields.of(sizesFile, 'vm-sizes.json', ['comment', 'source', 'columns', 'rows']);
  if (file.texts('columns').join() !== columns.join()) throw new ShapeError('vm-sizes.json.columns', 'have changed');
  return file.list('rows', readSize);
}

function readSize(value: unknown, where: string): VmSize {
  if (!Array.isArray(value) || value.length !== columns.length) throw new ShapeError(where, 'must have every column');
  const row = Object.fromEntries(columns.map((column, index) => [column, value[index] as unknown]));
  const fields = Fields.of(row, where, columns);
  const temporary = row.localTempDiskMiB;
  return {
    name: fields.text('name', /^\w+(?:-\w+)*$/),
    family: fields.text('family'),
    vCpus: fields.number('vCPUs'),
    vCpusAvailable: fields.number('vCPUsAvailable'),
    memoryMib: fields.number('memoryMiB'),
    maxDataDisks: fields.number('maxDataDisks'),
    premiumIo: flag(row.premiumIO, `${where}.premiumIO`),
    generations: generationsOf(fields.text('hyperVGenerations', /^V[12](?:,V2)?$/)),
    temporaryDiskMib: temporary === null ? null : fields.number('localTempDiskMiB'),
    temporaryDiskKind: fields.oneOf('localTempDiskKind', ['scsi', 'nvme', 'none', 'unknown']),
    architecture: fields.oneOf('architecture', ['x64', 'arm64']),
    encryptionAtHost: row.encryptionAtHost === null ? null : flag(row.encryptionAtHost, `${where}.encryptionAtHost`),
  };
}

function generationsOf(text: string): readonly Generation[] {
  return generations.filter((generation) => text.split(',').includes(generation));
}

function flag(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw new ShapeError(where, 'must be true or false');
  return value;
}
