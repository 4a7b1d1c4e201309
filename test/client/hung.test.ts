// A token function of the application that never settles.
import { expect, it, onTestFinished, vi } from 'vitest'
import { type State, subscribe } from '../../dist/client/index.js'
import { opening } from '../support/client/scripted-server.ts'

it('a token function that never settles is given up after 30 seconds, and called again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  onTestFinished(() => void vi.useRealTimers())
  let calls = 0
  const authorizations: (string | null)[] = []
  const answer: typeof fetch = async (_, init) => {
    authorizations.push(new Headers(init?.headers).get('Authorization'))
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(opening('#e-1')))
    })
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
  }
  const subscription = subscribe('http://hub.example/subscribe', {
    token: () => (++calls === 1 ? new Promise<string>(() => {}) : 'second'),
    fetch: answer
  })
  const states: State[] = []
  subscription.on('state', (state) => states.push(state))
  subscription.on('update', () => {})
  onTestFinished(() => subscription.close())
  await vi.advanceTimersByTimeAsync(29_000)
  expect([calls, states.at(-1)]).toEqual([1, { status: 'connecting' }])
  // The time limit, and the longest wait after a first failure.
  await vi.advanceTimersByTimeAsync(3_000)
  expect(states.map((state) => (state.status === 'waiting' ? state.reason : state.status))).toEqual([
    'connecting',
    'no answer within 30 s',
    'connecting',
    'live'
  ])
  expect(authorizations).toEqual(['Bearer second'])
})

it('a new attempt does not wait for the token of the one before', async () => {
  let calls = 0
  const subscription = subscribe('http://hub.example/.well-known/mercure', {
    topics: 'a',
    token: () => (++calls === 1 ? new Promise<string>(() => {}) : 'second'),
    fetch: async () => new Response(':\n\n', { headers: { 'Content-Type': 'text/event-stream' } })
  })
  onTestFinished(() => subscription.close())
  const statuses: string[] = []
  subscription.on('state', ({ status }) => statuses.push(status))
  subscription.on('update', () => {})
  await expect.poll(() => calls).toBe(1)
  // A Mercure hub cannot change a stream, so the client connects again.
  await subscription.add('b')
  await expect.poll(() => statuses).toContain('live')
})
