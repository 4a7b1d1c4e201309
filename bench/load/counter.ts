// Makes payloads, and finds them in a stream of bytes of any format.

// `~` ends every payload and occurs nowhere else: not in a hub's ids, not in chunk sizes, not in field names. Counting
// one byte works whatever a hub puts around the payload, and no chunk boundary can fall inside it.
const MARKER = 0x7e
const STAMP_DIGITS = 14
export const SMALLEST_PAYLOAD = STAMP_DIGITS + 1

/** Text of exactly `size` bytes: the creation time in whole microseconds, padding, and the marker. */
export function payload(size: number, millis: number): string {
  const stamp = String(Math.round(millis * 1000)).padStart(STAMP_DIGITS, '0')
  return `${stamp.padEnd(size - 1, '.')}~`
}

/** How many payloads end in `bytes[from, to)`. After one, a whole payload must pass before the next can end. */
export function countPayloads(bytes: Uint8Array, from: number, to: number, size: number): number {
  let count = 0
  for (let at = from; at < to; at++) {
    if (bytes[at] !== MARKER) continue
    count++
    at += size - 1
  }
  return count
}

/** The creation times of the payloads, in milliseconds, without a payload that began in an earlier chunk. */
export function stamps(bytes: Uint8Array, from: number, to: number, size: number): number[] {
  const found: number[] = []
  for (let at = from; at < to; at++) {
    if (bytes[at] !== MARKER) continue
    const start = at - size + 1
    if (start >= from) found.push(stampAt(bytes, start))
  }
  return found
}

function stampAt(bytes: Uint8Array, start: number): number {
  let micros = 0
  for (let at = start; at < start + STAMP_DIGITS; at++) micros = micros * 10 + ((bytes[at] ?? 0x30) - 0x30)
  return micros / 1000
}
