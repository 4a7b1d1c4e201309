// Times of day, as both pages show them.

/** The time of day in milliseconds, after the date if it is not today. */
export function shortTime(date: Date): string {
  return `${dayOf(date)}${timeOfDay(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** The time of day in seconds, after the date if it is not today. */
export function secondsTime(date: Date): string {
  return `${dayOf(date)}${timeOfDay(date)}`
}

function timeOfDay(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

function dayOf(date: Date): string {
  if (date.toDateString() === new Date().toDateString()) return ''
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
