// Traces: a publish continues the trace of its request if spans are collected, and a rejection contains the trace id.
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub, type RefusedRequest } from '../../dist/index.js'
import { ask, listenUntilDone, post, serve } from '../support/http/http.ts'
import { form, hubPath } from '../support/http/mercure.ts'
import { startServer } from '../support/servers/server.ts'
import { type CollectedSpan, provider, spans } from '../support/spans.mjs'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${spanId}-01`

const named = (name: string) => spans.find((span) => span.name === `tidings ${name}`) as CollectedSpan

describe('with a span collector', () => {
  beforeEach(() => {
    trace.setGlobalTracerProvider(provider)
  })
  afterEach(() => {
    trace.disable()
    spans.length = 0
  })

  it("a publish is a child span of the request's trace, and its append is a child of the publish", async () => {
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

  it('the span of a batch has its size, also in Mercure', async () => {
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

  it('the active span around the handler takes precedence over the request header', async () => {
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

  it('a rejection sets the span status to its code', async () => {
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
    ['an invalid version', `ff-${traceId}-${spanId}-01`],
    ['extra fields in version 00', `${traceparent}-more`],
    ['capitals', traceparent.toUpperCase()],
    ['nonsense', 'nonsense']
  ])('a new trace starts if the header has %s', async (_, header) => {
    const { url } = await serve()
    expect((await post(`${url}/publish`, 'x', header === undefined ? {} : { traceparent: header })).status).toBe(200)
    expect(named('publish').parent).toBeUndefined()
  })

  it('a newer version may have more fields, and a too long state is dropped', async () => {
    const { url } = await serve()
    await post(`${url}/publish`, 'x', {
      traceparent: `01${traceparent.slice(2)}-more`,
      tracestate: `a=${'x'.repeat(511)}`
    })
    expect(named('publish').parent).toMatchObject({ traceId, spanId })
    expect(named('publish').parent?.traceState).toBeUndefined()
  })

  it('streams and other requests have no span', async () => {
    const { url } = await serve()
    await ask(`${url}/debug`, { headers: { traceparent } })
    expect(spans).toEqual([])
  })
})

it('a rejection is reported with its trace', async () => {
  const refusals: RefusedRequest[] = []
  const { url } = await serve({ observer: { refused: (refusal) => void refusals.push(refusal) } })
  await post(`${url}/publish?nonsense`, 'x', { traceparent })
  await post(`${url}/publish?nonsense`, 'x', { traceparent: 'nonsense' })
  expect(refusals[0]).toMatchObject({ trace: traceId })
  expect(refusals[1]).not.toHaveProperty('trace')
  expect(spans).toEqual([])
})

describe('the server', () => {
  it('logs the trace of rejected requests', async () => {
    const { url, output, kill } = await startServer()
    onTestFinished(() => kill('SIGKILL'))
    await post(`${url}/publish?nonsense`, 'x', { traceparent })
    await expect.poll(output).toContain(`"trace":"${traceId}"`)
  })

  it('exports its spans to a provider that was loaded before it', async () => {
    const loaded = fileURLToPath(new URL('../support/spans.mjs', import.meta.url))
    const env = { NODE_OPTIONS: `--import ${loaded}`, PRINT_SPANS: '1' }
    const { url, output, kill } = await startServer({ env })
    onTestFinished(() => kill('SIGKILL'))
    await post(`${url}/publish`, 'x', { traceparent })
    await expect.poll(output).toContain(`{"span":"tidings publish","traceId":"${traceId}","parent":"${spanId}"}`)
    expect(output()).toContain('{"span":"tidings append"')
  })
})
