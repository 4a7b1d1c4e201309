// The client and what a browser reports about its page, here by events that the test sends.
import { expect, it, onTestFinished, vi } from 'vitest'
import { subscribe } from '../../dist/client/index.js'
import { opening } from '../support/client/scripted-server.ts'

it('connects at once when its page returns from the back/forward cache, also a moment after it has connected', async () => {
  // No time passes.
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const page = new EventTarget()
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  onTestFinished(() => void vi.unstubAllGlobals())
  const answer: typeof fetch = async (_, init) => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason))
        controller.enqueue(new TextEncoder().encode(opening('#e-1')))
      }
    })
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
  }
  const subscription = subscribe('http://hub.example/subscribe', { topics: 'a', fetch: answer })
  const statuses: string[] = []
  subscription.on('state', ({ status }) => statuses.push(status))
  subscription.on('update', () => {})
  onTestFinished(() => subscription.close())
  await expect.poll(() => statuses).toEqual(['connecting', 'live'])
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  await expect.poll(() => statuses).toEqual(['connecting', 'live', 'connecting', 'live'])
})
