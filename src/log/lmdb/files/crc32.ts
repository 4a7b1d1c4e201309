// A checksum against faults of the disk, not against manipulation.
import * as zlib from 'node:zlib'

const table = new Int32Array(256).map((_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  return sum
})

/** For versions of Node without `zlib.crc32`. */
export function crc32ByTable(what: Uint8Array | string, before: number): number {
  const bytes = typeof what === 'string' ? Buffer.from(what) : what
  let sum = ~before
  for (const byte of bytes) sum = (sum >>> 8) ^ (table[(sum ^ byte) & 0xff] as number)
  return ~sum >>> 0
}

/** CRC-32 of bytes, or of a text in UTF-8, continued from an earlier checksum. Node has it since 20.15. */
export const crc32: (what: Uint8Array | string, before: number) => number = zlib.crc32 ?? crc32ByTable
