// The counters of the load generator, on which all benchmark results depend.
import { describe, expect, it } from 'vitest'
import { countPayloads, payload, stamps } from '../../bench/load/counter.ts'

const SIZE = 64
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const event = (millis: number): string => `id: #abc-1\ndata: ${payload(SIZE, millis)}\n\n`

describe('counting payloads', () => {
  it('creates payloads of exactly the requested size', () => {
    expect(payload(SIZE, 12_345.678)).toHaveLength(SIZE)
  })

  it('counts every payload at any chunk boundary', () => {
    const bytes = bytesOf(`:\nid: #abc-0\n\n${event(1)}${event(2)}:\n\n${event(3)}`)
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(countPayloads(bytes, 0, cut, SIZE) + countPayloads(bytes, cut, bytes.length, SIZE)).toBe(3)
    }
  })

  it('reads back the creation time of a payload, to the microsecond', () => {
    const bytes = bytesOf(event(12_345.678) + event(99_999.001))
    expect(stamps(bytes, 0, bytes.length, SIZE)).toEqual([12_345.678, 99_999.001])
  })

  it('omits the time of a payload that started in an earlier chunk', () => {
    const bytes = bytesOf(event(1) + event(2))
    expect(stamps(bytes, 30, bytes.length, SIZE)).toEqual([2])
  })
})
