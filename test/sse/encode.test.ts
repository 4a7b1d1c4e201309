// eventsource-parser decodes what we encode, and no publisher text can become a separate field.
import { readFileSync } from 'node:fs'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode, encodePosition, heartbeat, type SseEvent } from '../../dist/sse/encode.js'

interface Vector {
  readonly name: string
  readonly events: readonly { event?: string; data: string; lastEventId?: string }[]
  readonly retry?: number
}

const vectors = JSON.parse(readFileSync('test/sse/vectors.json', 'utf8')) as Vector[]

function parse(wire: string, chunk = wire.length) {
  const events: EventSourceMessage[] = []
  const retries: number[] = []
  const parser = createParser({ onEvent: (event) => events.push(event), onRetry: (retry) => retries.push(retry) })
  for (let at = 0; at < wire.length; at += chunk) parser.feed(wire.slice(at, at + chunk))
  return { events, retries }
}

const asLines = (data: string) => data.replace(/\r\n|\r/g, '\n')

describe('the encoded events of the standard are decoded unchanged', () => {
  it.each(vectors)('$name', ({ events, retry }) => {
    const wire = events
      .map(({ event, data, lastEventId }) => encode({ type: event, id: lastEventId, data, retry }))
      .join(heartbeat)
    for (const chunk of [wire.length, 1]) {
      const { events: read, retries } = parse(wire, chunk)
      expect(read.map(({ event, data, id }) => ({ event, data, id }))).toEqual(
        events.map(({ event, data, lastEventId }) => ({ event, data: asLines(data), id: lastEventId }))
      )
      expect(retries).toEqual(retry === undefined ? [] : events.map(() => retry))
    }
  })
})

describe('encode', () => {
  it('puts the id before the data and ends with a blank line', () => {
    const wire = encode({ type: 'x', id: 'a', retry: 5, data: 'one\ntwo' })
    expect(wire).toBe('event: x\nretry: 5\nid: a\ndata: one\ndata: two\n\n')
  })

  it('keeps a trailing empty line and a leading space', () => {
    expect(encode({ data: ' a\n' })).toBe('data:  a\ndata: \n\n')
  })

  it.each([
    { id: 'a\nb' },
    { id: 'a\rb' },
    { id: 'a\0b' },
    { type: 'a\nb' },
    { type: 'a\rb' },
    { retry: -1 },
    { retry: 0.5 }
  ])('rejects %j', (fields) => {
    expect(() => encode({ data: '', ...fields })).toThrow(RangeError)
  })

  it('encodes a position that fires no event', () => {
    expect(parse(encodePosition('#a-1')).events).toEqual([])
    expect(() => encodePosition('a\nb')).toThrow(RangeError)
  })
})

it('no data, id or type can inject a field: each event decodes to the same event', async () => {
  const hostile = fc.array(
    fc.constantFrom('\n', '\r', '\r\n', 'data: x', 'id: x', 'event: x', ':', ' ', '\0', '\ufeff', '💥')
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    hostile.map((parts) => parts.join(''))
  )
  const field = fc.option(text, { nil: undefined })
  await fc.assert(
    fc.property(field, field, text, (type, id, data) => {
      const read = encodeOrRefuse({ type, id, data })
      if (read === undefined) expect(/[\r\n]/.test(`${type}${id}`) || id?.includes('\0')).toBe(true)
      else expect(parse(read).events).toEqual([{ event: type || undefined, id, data: asLines(data) }])
    }),
    { numRuns: 2_000 }
  )
})

function encodeOrRefuse(event: SseEvent): string | undefined {
  try {
    return encode(event)
  } catch {
    return undefined
  }
}
