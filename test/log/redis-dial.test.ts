// The clients of the connections to Redis, before they connect.
import { expect, it } from 'vitest'
import { makeClient } from '../../dist/log/redis/dial.js'

it('makes the clients of all connections from one class, since a class with all commands blocks for a long time', () => {
  const make = (port: number, database?: number) =>
    makeClient(
      { host: '127.0.0.1', port },
      { login: {}, tls: undefined, ...(database && { database }) },
      1_000,
      () => true
    )
  const clients = [make(6_001), make(6_002), make(6_001, 3)]
  expect(new Set(clients.map((client) => client.constructor)).size).toBe(1)
})
