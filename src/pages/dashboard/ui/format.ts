// Numbers, sizes, durations and times as text. All digits have the same width, so values do not jump.

/** A value and its unit, which is shown smaller. */
export interface Quantity {
  readonly text: string
  readonly unit: string
}

/** 9,981 · 1.24 M */
export function count(value: number): Quantity {
  if (value >= 999_500_000) return { text: significant(value / 1e9), unit: 'G' }
  if (value >= 999_500) return { text: significant(value / 1e6), unit: 'M' }
  if (value > 0 && value < 9.95 && !Number.isInteger(value)) return { text: value.toFixed(1), unit: '' }
  return { text: Math.round(value).toLocaleString('en'), unit: '' }
}

/** 0/s · 3.0/s · 108/s: a small rate has a digit after the point, since it is an average. */
export function rate(value: number): Quantity {
  if (value > 0 && value < 9.95) return { text: value.toFixed(1), unit: '/s' }
  return perSecond(count)(value)
}

const sizes = ['B', 'kB', 'MB', 'GB', 'TB']

/** 512 B · 48.2 kB · 1.31 GB */
export function bytes(value: number): Quantity {
  let [rest, step] = [value, 0]
  while (rest >= 999.5 && step < sizes.length - 1) [rest, step] = [rest / 1000, step + 1]
  return { text: step === 0 ? String(Math.round(rest)) : significant(rest), unit: sizes[step] as string }
}

/** 0.42 ms · 18.5 ms · 1.20 s */
export function milliseconds(value: number): Quantity {
  if (value >= 999.5) return { text: significant(value / 1000), unit: 's' }
  if (value < 1) return { text: value.toFixed(2), unit: 'ms' }
  return { text: significant(value), unit: 'ms' }
}

/** 12 % */
export function percent(value: number): Quantity {
  return { text: value < 0.0995 && value > 0 ? (value * 100).toFixed(1) : String(Math.round(value * 100)), unit: '%' }
}

export function perSecond(format: (value: number) => Quantity): (value: number) => Quantity {
  return (value) => {
    const { text, unit } = format(value)
    return { text, unit: `${unit}/s` }
  }
}

export function plain({ text, unit }: Quantity): string {
  return unit && !unit.startsWith('/') ? `${text} ${unit}` : `${text}${unit}`
}

/** A short label for an axis: without the time unit, and without zeros that say nothing. */
export function tick(value: number, format: (value: number) => Quantity): string {
  if (value === 0) return '0'
  const { text, unit } = format(value)
  const short = text.includes(',')
    ? `${value / 1000} k`
    : text.replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') ? '' : zeros))
  return `${short} ${unit.replace('/s', '')}`.trim()
}

/** Three digits. */
function significant(value: number): string {
  if (value >= 99.95) return Math.round(value).toString()
  return value.toFixed(value >= 9.995 ? 1 : 2)
}

/** 42 s · 3 min 12 s · 2 h 05 min · 4 d 3 h */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${two(minutes % 60)} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** 1 stream · 9,981 streams */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : many}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
