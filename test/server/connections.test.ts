// Connections before they are requests: they are reset, say nothing, arrive byte by byte, and end.
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask } from '../support/http.js'
import { http2Ask, http2Session } from '../support/http2.js'
import { rawSocket } from '../support/raw-socket.js'
import { startServer } from '../support/server.js'

async function start(...args: string[]) {
  const server = await startServer({ args })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

describe('a connection of h2c', () => {
  it('may be reset before its first byte, and the server goes on', async () => {
    const { url, port } = await start('--h2c')
    const socket = await rawSocket(port)
    socket.resetAndDestroy()
    expect(await ask(`${url}/healthz`)).toMatchObject({ status: 200 })
    expect(await ask(`${url}/healthz`)).toMatchObject({ status: 200 })
  })

  it('is over when its client ends it, with its streams and what they count for', async () => {
    const { url } = await start('--h2c', '--max-connections', '5')
    for (let count = 0; count < 5; count++) {
      const session = http2Session(url)
      expect(await http2Ask(session, '/subscribe')).toMatchObject({ status: 200 })
      session.destroy()
    }
    await expect.poll(async () => (await ask(`${url}/debug`)).text).toBe('Currently 0 subscriptions')
    expect(await http2Ask(http2Session(url), '/subscribe')).toMatchObject({ status: 200 })
  })
})
