// The disk of a running server fills up, and has free space again.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { noSmallDisk, smallDisk } from '../support/log/log-folder.ts'
import { startServer } from '../support/servers/server.ts'

const obstacle = noSmallDisk()

describe.skipIf(obstacle)(`a full disk${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  it('responds 507 to publishes, ends no stream, and recovers when there is space', async () => {
    const folder = smallDisk(8)
    const filler = join(folder, 'filler')
    writeFileSync(filler, Buffer.alloc(3 * 2 ** 20))
    const { url, kill } = await startServer({ args: ['--data', folder] })
    onTestFinished(() => kill('SIGKILL'))
    const client = await listen(`${url}/subscribe`)
    const publish = () => post(`${url}/publish`, 'x'.repeat(200_000))
    let published = 0
    let answer = await publish()
    for (; answer.status === 200; answer = await publish()) published++
    expect(answer).toMatchObject({
      status: 507,
      text: expect.stringMatching(/^The storage of the history is full, so nothing was published/)
    })
    await client.received(published)
    expect((await ask(`${url}/debug`)).text).toBe('Currently 1 subscription')
    rmSync(filler)
    await expect.poll(async () => (await publish()).status).toBe(200)
    await client.received(published + 1)
    expect(client.ended).toBe(false)
  })

  it('also recovers when retained entries expire', async () => {
    const retention = JSON.stringify([{ match: '*', age: '2s' }])
    const folder = smallDisk(8)
    // So that a few updates fill the rest, before the first of them expires.
    writeFileSync(join(folder, 'filler'), Buffer.alloc(3 * 2 ** 20))
    const { url, kill } = await startServer({ args: ['--data', folder, '--retention', retention] })
    onTestFinished(() => kill('SIGKILL'))
    const publish = async () => (await post(`${url}/publish`, 'x'.repeat(1_000_000))).status
    for (let time = 0; time < 3; time++) {
      await expect.poll(publish, { interval: 0 }).toBe(507)
      await expect.poll(publish).toBe(200)
    }
  })
})
