/** How far a run of `cryptsetup reencrypt` is. */
export interface ConversionProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number;
  readonly etaSeconds: number;
}

/** One line of `--progress-json`: all numbers are decimal strings, times in ms, speed in bytes a second. */
export function parseProgress(line: string): ConversionProgress | undefined {
  if (!line.startsWith('{')) return undefined;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const [bytesDone, bytesTotal, bytesPerSecond, milliseconds] = ['device_bytes', 'device_size', 'speed', 'eta_ms'].map(
    (name) => Number(fields[name]),
  );
  if (
    bytesDone === undefined ||
    bytesTotal === undefined ||
    bytesPerSecond === undefined ||
    milliseconds === undefined
  ) {
    return undefined;
  }
  const all = [bytesDone, bytesTotal, bytesPerSecond, milliseconds];
  if (!all.every((value) => Number.isSafeInteger(value) && value >= 0)) return undefined;
  return { bytesDone, bytesTotal, bytesPerSecond, etaSeconds: Math.ceil(milliseconds / 1000) };
}
