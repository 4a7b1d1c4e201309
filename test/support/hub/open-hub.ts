// Opens a hub for one test, with subscribers on in-memory connections.
import { onTestFinished } from 'vitest'
import { createHub, type HubOptions, type SubscribeRequest } from '../../../dist/index.js'
import { FakeConnection } from './fake-connection.ts'

/** The hub is closed after the test. `publish` uses the topic `t` by default. */
export function openHub(options: HubOptions = {}) {
  const hub = createHub({ heartbeat: 0, ...options })
  onTestFinished(() => hub.close())
  const join = async (request: SubscribeRequest = {}) => {
    const connection = new FakeConnection()
    return { connection, subscriber: hub.join(await hub.locate(request), connection) }
  }
  const publish = (data: string, ...topics: string[]) => hub.publish({ topics: topics[0] ? topics : ['t'], data })
  return { hub, join, publish }
}
