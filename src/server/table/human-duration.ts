const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/**
 * A duration with about two digits of precision, as kubectl's AGE column has it: `5s`, `2m5s`, `3h`, `2d4h`
 * (https://pkg.go.dev/k8s.io/apimachinery/pkg/util/duration#HumanDuration).
 */
export function humanDuration(milliseconds: number): string {
  const whole = (unit: number) => Math.floor(milliseconds / unit);
  const pair = (large: number, largeName: string, small: number, smallName: string) => {
    const rest = Math.floor((milliseconds % large) / small);
    return `${whole(large)}${largeName}${rest === 0 ? "" : `${rest}${smallName}`}`;
  };
  if (milliseconds < -second) return "<invalid>";
  if (milliseconds < 0) return "0s";
  if (milliseconds < 2 * minute) return `${whole(second)}s`;
  if (milliseconds < 10 * minute) return pair(minute, "m", second, "s");
  if (milliseconds < 3 * hour) return `${whole(minute)}m`;
  if (milliseconds < 8 * hour) return pair(hour, "h", minute, "m");
  if (milliseconds < 2 * day) return `${whole(hour)}h`;
  if (milliseconds < 8 * day) return pair(day, "d", hour, "h");
  if (milliseconds < 2 * year) return `${whole(day)}d`;
  if (milliseconds < 8 * year) return pair(year, "y", day, "d");
  return `${whole(year)}y`;
}

/** How long ago the RFC 3339 time was, or `<unknown>` where there is none. */
export function timeSince(time: string | undefined | null, now: number): string {
  if (time === undefined || time === null) return "<unknown>";
  return humanDuration(now - Date.parse(time));
}
