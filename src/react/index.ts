// The React hooks of tidings: the newest value of a topic, updates as they arrive, and the state of the page's stream.
'use client'

export { type HubOptions, TidingsProvider, type TidingsProviderProps } from './provider.ts'
export { useConnectionState } from './use-connection-state.ts'
export { type EventHandlers, type UseEventsOptions, useEvents } from './use-events.ts'
export { type TopicValue, type UseTopicOptions, useTopic } from './use-topic.ts'
