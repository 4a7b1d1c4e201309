// The two-node Redis example, run by the command of its README.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { curl, describeWith, redis } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'

const found = await curl()

describeWith('path' in found ? await redis() : found, 'examples/two-nodes-redis', () => {
  it('receives at one server what is published at the other', async () => {
    const [, command = ''] = /```sh\n(.*?)\n```/s.exec(readFileSync('examples/two-nodes-redis/README.md', 'utf8')) ?? []
    // It uses two more ports after this one.
    const env = { ...process.env, PORT: String(await freePort(3)) }
    const { stdout } = await promisify(execFile)('bash', ['-c', command], { env })
    expect(stdout.trimEnd().split('\n').slice(-3)).toEqual(['hello', 'from the first server', 'to the second'])
  })
})
