'use client'
// The messages of everyone, also those from before.
import { TidingsProvider, useEvents } from 'tidings/react'

function List() {
  const updates = useEvents('messages', { last: 100 })
  return (
    <ul>
      {updates.map(({ id, data }) => (
        <li key={id}>{data}</li>
      ))}
    </ul>
  )
}

export function Messages() {
  return (
    <TidingsProvider url="/events/subscribe">
      <List />
    </TidingsProvider>
  )
}
