// Reloads that are rejected: a server with keys never loses its protection.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask } from '../support/http/http.ts'
import { keys } from '../support/http/mercure.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { tidings } from '../support/servers/cli.ts'
import { startServer } from '../support/servers/server.ts'

const keysInFile = `publisherKey: ${keys.publish}\nsubscriberKey: ${keys.subscribe}\n`

/** A server configured by a file; `reload` changes or removes the file, and sends SIGHUP. */
async function startWith(content: string) {
  const file = join(newFolder(), 'tidings.yaml')
  writeFileSync(file, content)
  const { port, pid, output, kill } = await startServer({ args: ['--config', file] })
  onTestFinished(() => kill('SIGKILL'))
  const reload = async (changed: string | undefined) => {
    if (changed === undefined) rmSync(file)
    else writeFileSync(file, changed)
    process.kill(pid, 'SIGHUP')
    await expect.poll(output).toMatch(/not reloaded|"msg":"reloaded"/)
    return output().match(/.*(not reloaded|"msg":"reloaded").*/)?.[0] ?? ''
  }
  const publish = async () =>
    (await ask(`http://127.0.0.1:${port}/publish`, { method: 'POST', body: 'x', headers: { Host: 'localhost' } }))
      .status
  return { reload, publish }
}

describe('a reload that would remove protection is rejected, and the old configuration stays active', () => {
  it.each([
    ['an empty file', '', 'has no options'],
    ['a file of comments', '# port: 5000\n', 'has no options'],
    ['no file', undefined, 'cannot be read: ENOENT'],
    ['a file without keys', 'maxConnections: 5\n', 'no keys and no --authorize'],
    ['a file without keys for another address', 'host: 127.0.0.1\n', 'no keys and no --authorize']
  ])('with %s', async (_, content, why) => {
    const { reload, publish } = await startWith(`host: 127.1\n${keysInFile}`)
    expect(await publish()).toBe(401)
    expect(await reload(content)).toContain(why)
    expect(await publish()).toBe(401)
  })

  it('with a file without keys that is limited to localhost', async () => {
    const { reload, publish } = await startWith(keysInFile)
    await reload('maxConnections: 5\n')
    expect(await publish()).toBe(401)
  })

  it('based on the address that the process listens on, not the one in the new file', async () => {
    const { reload } = await startWith('host: 0.0.0.0\nopen: true\n')
    expect(await reload('maxConnections: 5\n')).toContain('0.0.0.0 can be reached from other machines')
  })
})

it('a reload may open a server that had keys if the file allows it explicitly', async () => {
  const { reload, publish } = await startWith(keysInFile)
  expect(await reload('open: true\n')).toContain('"msg":"reloaded"')
  expect(await publish()).toBe(200)
})

it('an empty secret file is rejected and not treated as no key', async () => {
  const file = join(newFolder(), 'key')
  writeFileSync(file, '\n')
  const { code, stderr } = await tidings(['check-config', '--anonymous'], { TIDINGS_PUBLISHER_KEY_FILE: file })
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`${file} is empty`) })
})
