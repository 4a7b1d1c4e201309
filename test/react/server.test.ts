// The React hooks on a server, where nothing connects, and without a provider.
import { createElement, type ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, expectTypeOf, it, onTestFinished, vi } from 'vitest'
import type { StandardSchema, Update } from '../../dist/client/index.js'
import { TidingsProvider, useConnectionState, useEvents, useTopic } from '../../dist/react/index.js'

const hooks: Record<string, () => unknown> = {
  useTopic: () => useTopic('a', { initial: 'rendered' }).data,
  useEvents: () => useEvents('a').length,
  useConnectionState: () => useConnectionState().status
}

it('they return what the page begins with, and request nothing', () => {
  const request = vi.spyOn(globalThis, 'fetch')
  onTestFinished(() => request.mockRestore())
  const Page = (): ReactNode => Object.values(hooks).map((use) => ` ${use()}`)
  const html = renderToString(createElement(TidingsProvider, { url: '/subscribe', from: '#e-1' }, createElement(Page)))
  expect(html.replaceAll('<!-- -->', '')).toBe(' rendered 0 connecting')
  expect(request).not.toHaveBeenCalled()
})

it.each(Object.keys(hooks))('%s without a provider says what to do', (name) => {
  const Page = (): ReactNode => String(hooks[name]?.())
  expect(() => renderToString(createElement(Page))).toThrow(
    `${name} needs a provider: render <TidingsProvider url="https://hub.example.com/subscribe"> above the component that calls it`
  )
})

it('their types follow from the initial data, the parser and the handler', () => {
  const count: StandardSchema<number> = { '~standard': { version: 1, validate: () => ({ value: 1 }) } }
  const Page = (): ReactNode => {
    expectTypeOf(useTopic('a').data).toEqualTypeOf<unknown>()
    expectTypeOf(useTopic('a', { initial: { total: 1 } }).data).toEqualTypeOf<{ total: number } | undefined>()
    expectTypeOf(useTopic('a', { parse: count }).update).toEqualTypeOf<Update<number> | undefined>()
    expectTypeOf(useEvents('a', { parse: (text) => text.length })).toEqualTypeOf<readonly Update<number>[]>()
    expectTypeOf(useEvents('a', ({ data }: Update<string>) => void data)).toEqualTypeOf<void>()
    return 'typed'
  }
  expect(renderToString(createElement(TidingsProvider, { url: '/subscribe' }, createElement(Page)))).toBe('typed')
})
