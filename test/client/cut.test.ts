// A stream that is cut at every byte position: every published update is delivered once, in order. A run tries each third of them, and
// `npm run test:soak` all.
import { expect, it } from 'vitest'
import { subscribe } from '../../dist/client/index.js'
import { opening, scriptedServer, stream, update } from '../support/client/scripted-server.ts'
import { isSoak, seed } from '../support/random.ts'

const count = 33
const ids = Array.from({ length: count }, (_, index) => (index % 5 === 3 ? `own-${index}` : `#e-${index + 2}`))
const all = ids.map((id, index) => update(id, JSON.stringify(`update ${index} ${'ä€'.repeat(index % 4)}`)))
const whole = Buffer.from(opening('#e-1') + all.join(''))
const step = isSoak ? 1 : 3
const positions = Array.from({ length: whole.length }, (_, index) => index).filter((at) => (at + seed) % step === 0)

it(`loses and repeats nothing, whichever of ${positions.length} bytes is the last (seed ${seed})`, async () => {
  const cuts = new Set<string>()
  const server = await scriptedServer((response, { url = '' }) => {
    const query = new URL(url, 'http://x').searchParams
    const cut = query.get('topic') as string
    const after = query.get('last_event_id')
    if (!cuts.has(cut)) {
      cuts.add(cut)
      stream(response, '')
      response.write(whole.subarray(0, Number(cut)), () => response.destroy())
      return
    }
    const next = after === null || after === '#e-1' ? 0 : ids.indexOf(after) + 1
    stream(response, opening(after ?? '#e-1') + all.slice(next).join(''))
  })
  const check = async (cut: number) => {
    const got: unknown[] = []
    // Hundreds of streams at once can be slow to open. This server has no history to poll.
    const options = { topics: String(cut), openTimeout: 60_000 }
    for await (const { id } of subscribe(`${server.url}/subscribe`, options)) {
      if (got.push(id) === count) break
    }
    expect(got, `cut at byte ${cut}`).toEqual(ids)
  }
  expect(whole.length).toBeGreaterThan(4_096)
  for (let from = 0; from < positions.length; from += 400) {
    await Promise.all(positions.slice(from, from + 400).map(check))
  }
  expect(cuts.size).toBe(positions.length)
})
