// Reads and writes durations such as `10s` and sizes such as `1MiB`.

const durations: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const sizes: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40
}

/**
 * Milliseconds from `500ms`, `10s`, `5m`, `24h`, `7d`, `2w` or `0`. A number, which only code can give, is in milliseconds. A text
 * without a unit is refused, since readers disagree whether it means seconds or milliseconds.
 * @throws RangeError that says what is expected
 */
export function parseDuration(value: string | number): number {
  const expected = 'a duration with a unit such as 10s'
  if (typeof value === 'string' && /^[\d.]+$/.test(value.trim()) && Number(value) !== 0) refuse(expected, value)
  return parse(value, durations, expected)
}

/**
 * Bytes from `64MiB`, `1GiB`, `10kB`, or a number of bytes.
 * @throws RangeError that says what is expected
 */
export function parseSize(value: string | number): number {
  return parse(value, sizes, 'a size such as 64MiB')
}

/** `15s` from 15,000: the largest unit that is exact. */
export function formatDuration(milliseconds: number): string {
  const { w: _, ...usual } = durations
  return format(milliseconds, usual)
}

/** `1MiB` from 1,048,576: the largest unit that is exact. */
export function formatSize(bytes: number): string {
  return format(bytes, sizes)
}

function format(value: number, units: Record<string, number>): string {
  if (value === 0) return '0'
  const fitting = Object.entries(units).filter(([, size]) => value % size === 0)
  const [unit, size] = fitting.reduce((best, next) => (next[1] >= best[1] ? next : best), ['', 1])
  return `${value / size}${unit}`
}

function parse(value: string | number, units: Record<string, number>, expected: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  const form = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]*)$/.exec(String(value).trim())
  const unit = form?.[2] ? new Map(Object.entries(units)).get(form[2]) : 1
  if (!form || unit === undefined) return refuse(expected, value)
  return Math.round(Number(form[1]) * unit)
}

function refuse(expected: string, value: string | number): never {
  throw new RangeError(`expected ${expected}, got ${JSON.stringify(value)}`)
}
