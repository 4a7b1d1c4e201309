// The React hooks on a server, where nothing connects, and without a provider.
import { createElement, type ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, it, onTestFinished, vi } from 'vitest'
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
