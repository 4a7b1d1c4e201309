// Traces: a publish goes on with the trace that it came with, where spans are collected, and its refusal is found by the trace.
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub, type RefusedRequest } from '../../dist/index.js'
import { ask, listenUntilDone, post, serve } from '../support/http.js'
import { form, hubPath } from '../support/mercure.js'
import { startServer } from '../support/server.js'
import { type CollectedSpan, provider, spans } from '../support/spans.mjs'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${spanId}-01`

const named = (name: string) => spans.find((span) => span.name === `tidings ${name}`) as CollectedSpan

describe('where spans are collected', () => {
  beforeEach(() => {
    trace.setGlobalTracerProvider(provider)
  })
  afterEach(() => {
    trace.disable()
    spans.length = 0
  })

  it('a publish is a span of the trace that it came with, and its append one of that', async () => {
    const { url } = await serve()
    await post(`${url}/publish?topic=orders/17&topic=orders`, 'secret', { traceparent, tracestate: 'a=1,b=2' })
    const attributes = {
      'messaging.system': 'tidings',
      'messaging.destination.name': 'orders/17',
      'messaging.batch.message_count': 1
    }
    const [publish, append] = [named('publish'), named('append')]
    expect(publish).toMatchObject({ traceId, parent: { traceId, spanId, traceFlags: 1, isRemote: true }, attributes })
    expect(publish.parent?.traceState?.serialize()).toBe('a=1,b=2')
    expect(append).toMatchObject({ traceId, parent: { spanId: publish.spanId }, attributes, ended: true })
    expect(publish.ended).toBe(true)
    expect(spans.length).toBe(2)
    expect(JSON.stringify(spans)).not.toContain('secret')
  })

  it('a batch says how many it holds, and the door of Mercure does the same', async () => {
    const { url } = await serve()
    await post(`${url}/publish`, '{"topic":"a"}\n{"topic":"b"}\n', { 'Content-Type': 'application/x-ndjson' })
    expect(named('append').attributes).toMatchObject({ 'messaging.batch.message_count': 2 })
    spans.length = 0
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
    await post(url + hubPath, form({ topic: 'https://example.com/a', data: 'x' }), { ...type, traceparent })
    expect(named('append')).toMatchObject({
      traceId,
      attributes: { 'messaging.destination.name': 'https://example.com/a' }
    })
  })

  it('what is active around the handler is nearer than what the request says', async () => {
    const hub = createHub()
    const handler = createHandler(hub)
    const outer = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b'.repeat(16), traceFlags: 1 })
    context.setGlobalContextManager({
      active: () => outer,
      with: (_, work, self, ...args) => work.call(self as ThisParameterType<typeof work>, ...args),
      bind: (_, target) => target,
      enable() {
        return this
      },
      disable() {
        return this
      }
    })
    onTestFinished(() => context.disable())
    const port = await listenUntilDone(createServer(handler), hub)
    await post(`http://127.0.0.1:${port}/publish`, 'x', { traceparent })
    expect(named('publish').parent?.spanId).toBe('b'.repeat(16))
  })

  it('a refusal is the status of its span, by its code', async () => {
    const { url } = await serve()
    await post(`${url}/publish?nonsense`, 'x', { traceparent })
    expect(named('publish')).toMatchObject({
      attributes: { 'error.type': 'parameter_unknown' },
      status: { message: 'parameter_unknown' },
      ended: true
    })
    expect(spans.length).toBe(1)
  })

  it.each([
    ['none', undefined],
    ['no trace', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['no span', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['a version that there never is', `ff-${traceId}-${spanId}-01`],
    ['more than version 00 has', `${traceparent}-more`],
    ['capitals', traceparent.toUpperCase()],
    ['nonsense', 'nonsense']
  ])('a trace begins here where the header holds %s', async (_, header) => {
    const { url } = await serve()
    expect((await post(`${url}/publish`, 'x', header === undefined ? {} : { traceparent: header })).status).toBe(200)
    expect(named('publish').parent).toBeUndefined()
  })

  it('a version to come may say more, and a state that is too long is left out', async () => {
    const { url } = await serve()
    await post(`${url}/publish`, 'x', {
      traceparent: `01${traceparent.slice(2)}-more`,
      tracestate: `a=${'x'.repeat(511)}`
    })
    expect(named('publish').parent).toMatchObject({ traceId, spanId })
    expect(named('publish').parent?.traceState).toBeUndefined()
  })

  it('streams and other questions make no span', async () => {
    const { url } = await serve()
    await ask(`${url}/debug`, { headers: { traceparent } })
    expect(spans).toEqual([])
  })
})

it('a refusal is told with its trace', async () => {
  const refusals: RefusedRequest[] = []
  const { url } = await serve({ observer: { refused: (refusal) => void refusals.push(refusal) } })
  await post(`${url}/publish?nonsense`, 'x', { traceparent })
  await post(`${url}/publish?nonsense`, 'x', { traceparent: 'nonsense' })
  expect(refusals[0]).toMatchObject({ trace: traceId })
  expect(refusals[1]).not.toHaveProperty('trace')
  expect(spans).toEqual([])
})

describe('the server', () => {
  it('logs the trace of what it refuses', async () => {
    const { url, output, kill } = await startServer()
    onTestFinished(() => kill('SIGKILL'))
    await post(`${url}/publish?nonsense`, 'x', { traceparent })
    await expect.poll(output).toContain(`"trace":"${traceId}"`)
  })

  it('hands its spans to what was loaded before it', async () => {
    const loaded = fileURLToPath(new URL('../support/spans.mjs', import.meta.url))
    const env = { NODE_OPTIONS: `--import ${loaded}`, PRINT_SPANS: '1' }
    const { url, output, kill } = await startServer({ env })
    onTestFinished(() => kill('SIGKILL'))
    await post(`${url}/publish`, 'x', { traceparent })
    await expect.poll(output).toContain(`{"span":"tidings publish","traceId":"${traceId}","parent":"${spanId}"}`)
    expect(output()).toContain('{"span":"tidings append"')
  })
})
