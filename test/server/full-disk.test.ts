// The disk of a running server fills up, and has free space again; or its data file is replaced.
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder, noSmallDisk, smallDisk } from '../support/log/log-folder.ts'
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

describe.each([1, 2])('a data file that was replaced, with %i worker processes', (workers) => {
  it('is reported in the log and by /readyz, also when nobody publishes', async () => {
    const folder = newFolder()
    const retention = JSON.stringify([{ match: '*', age: '1s' }])
    const args = ['--data', folder, '--retention', retention, '--workers', String(workers)]
    const { url, kill, output } = await startServer({ args })
    onTestFinished(() => kill('SIGKILL'))
    expect((await post(`${url}/publish`, 'x')).status).toBe(200)
    const [file, copy] = [join(folder, 'data.mdb'), join(folder, 'copy')]
    copyFileSync(file, copy)
    renameSync(copy, file)
    await expect.poll(output).toContain(`${file} was replaced since this process opened it`)
    await expect.poll(async () => (await ask(`${url}/readyz`)).status).toBe(503)
  })
})
