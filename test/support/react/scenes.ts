// The React application of the browser tests: components that show what the hooks return, and functions that render them.
import { createElement, type ReactElement, type ReactNode, StrictMode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import {
  type HubOptions,
  TidingsProvider,
  type UseEventsOptions,
  type UseTopicOptions,
  useConnectionState,
  useEvents,
  useTopic
} from '../../../dist/react/index.js'

/** What the handlers were called with, in order. */
export const got: string[] = []

interface Topics {
  readonly topics: string | readonly string[]
  readonly options?: UseEventsOptions<unknown>
}

/** Reports every event of its topics to `got`. Each render makes another handler, which reports the current `name`. */
function Log({ topics, name = '', options }: Topics & { readonly name?: string }): ReactNode {
  useEvents(topics, {
    ...options,
    onUpdate: ({ data }) => got.push(`${name}${data}`),
    onGap: ({ reason }) => got.push(`gap ${reason}`),
    onDeleted: (deletion) => got.push(`deleted ${deletion.topics}`),
    onEnded: (end) => got.push(`ended ${end.topics}`)
  })
  return null
}

/** Lists the newest updates. */
function List({ topics, options }: Topics): ReactNode {
  const updates = useEvents(topics, options)
  return createElement('p', { className: 'list' }, updates.map(({ data }) => data).join(' '))
}

/** Shows the newest data of a topic. */
function Value({ topic, options }: { readonly topic: string; readonly options?: UseTopicOptions<unknown> }): ReactNode {
  const { data, update } = useTopic(topic, options)
  return createElement('p', { className: 'value' }, `${data ?? '-'}${update ? ` (${update.type})` : ''}`)
}

function Values({ topics }: { readonly topics: readonly string[] }): ReactNode {
  return topics.map((topic) => createElement(Value, { key: topic, topic }))
}

function Status(): ReactNode {
  const state = useConnectionState()
  const reason = state.status === 'closed' ? ` ${state.reason}: ${state.error?.message}` : ''
  return createElement('p', { className: 'status' }, state.status + reason)
}

const components = { Log, List, Value, Values, Status } as const

/** A component with its properties. One with another key is another component. */
export type Part = {
  [Name in keyof typeof components]: readonly [Name, Parameters<(typeof components)[Name]>[0]?, key?: string]
}[keyof typeof components]

export interface Scene {
  readonly hub: HubOptions
  readonly parts: readonly Part[]
}

/** The page, in strict mode. Each render makes another token function. */
export function App({ hub, parts }: Scene): ReactElement {
  const children = parts.map(([name, props = {}, key = ''], at) => {
    // Which properties a component takes has been checked where the part was written.
    const component = components[name] as (props: object) => ReactNode
    return createElement(component, { ...props, key: `${name} ${at} ${key}` })
  })
  const token = hub.token ?? (() => undefined)
  return createElement(StrictMode, null, createElement(TidingsProvider, { ...hub, token }, children))
}

let root: Root | undefined

const container = (): HTMLElement => document.getElementById('root') as HTMLElement

/** Returns when the effects have run, so that what a test does next comes after them. */
export function show(scene: Scene): void {
  const shown = root ?? createRoot(container())
  root = shown
  flushSync(() => shown.render(createElement(App, scene)))
}

export function hydrate(scene: Scene): void {
  root = hydrateRoot(container(), createElement(App, scene))
}

/** The text of each component of a class, in the order of the page. */
export function texts(className: string): (string | null)[] {
  return [...document.getElementsByClassName(className)].map(({ textContent }) => textContent)
}
