/** Years and months by the calendar, the rest as days and milliseconds. */
export interface CalendarDuration {
  readonly months: number;
  readonly days: number;
  readonly milliseconds: number;
}

const shape =
  /^P(?=[\dT])(?:(\d{1,5})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?$/;

export const dayMilliseconds = 86_400_000;

/** ISO 8601-1, 5.5.2.2: `P90D`, `P1Y6M`, `PT12H`. @returns undefined where it is not one, or nothing at all */
export function parseDuration(text: string): CalendarDuration | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((digits: string | undefined) => Number(digits ?? 0));
  const duration = {
    months: years * 12 + months,
    days: weeks * 7 + days,
    milliseconds: ((hours * 60 + minutes) * 60 + seconds) * 1000,
  };
  return duration.months + duration.days + duration.milliseconds > 0 ? duration : undefined;
}

/** @param time milliseconds since 1970 @param sign -1 for a moment before */
export function shifted(time: number, { months, days, milliseconds }: CalendarDuration, sign: 1 | -1): number {
  const date = new Date(time);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + sign * months);
  const daysInMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, daysInMonth));
  return date.getTime() + sign * (days * dayMilliseconds + milliseconds);
}
