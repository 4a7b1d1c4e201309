// `npm start` and the other scripts of scripts/run.mjs: a signal ends the step in progress, and nothing begins after it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { newFolder } from '../support/log/log-folder.ts'

/** A project with tools that do nothing, and a server that prints its signal. */
function project(steps: Readonly<Record<string, string>> = {}): string {
  const root = newFolder()
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const name of ['live', 'dashboard']) {
    write(`src/pages/${name}/${name}.html`, '')
    for (const kind of ['js', 'css']) write(`build/pages/${name}.${kind}`, '')
  }
  write('src/log/redis/lua/append.lua', '')
  write('scripts/bundle-cli.mjs', '')
  write(
    'main.js',
    `process.on('SIGTERM', () => process.exit(console.log('stopped')))
    setInterval(() => {}, 60_000)
    console.log('serving')`
  )
  const tools: Record<string, string> = { npm: '', esbuild: '', tsc: 'mkdir -p dist/cjs dist/cli; cp main.js dist/cli' }
  for (const [name, script] of Object.entries({ ...tools, ...steps })) {
    write(`node_modules/.bin/${name}`, `#!/bin/sh\n${script}\n`)
    chmodSync(join(root, `node_modules/.bin/${name}`), 0o755)
  }
  cpSync(resolve('scripts/run.mjs'), join(root, 'scripts/run.mjs'))
  return root
}

/** Ends what a failed test has left behind. */
function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // Everything has ended.
  }
}

/** Starts the project. With `npm`, a shell is between the caller and the script, as between npm and the script. */
function begin(root: string, by: 'node' | 'npm') {
  const script = [process.execPath, join(root, 'scripts/run.mjs'), 'start'] as const
  const [program, args] =
    by === 'npm' ? ['sh', ['-c', `'${script.join("' '")}'; exit $?`]] : [script[0], script.slice(1)]
  const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
  const child = spawn(program, args, {
    env: { ...process.env, PATH: path, npm_lifecycle_event: by === 'npm' ? 'start' : undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  onTestFinished(() => endGroup(child.pid as number))
  let output = ''
  const closed = once(child, 'close')
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return {
    printed: (text: string) => expect.poll(() => output).toContain(text),
    /** SIGTERM goes to the started process, and SIGINT to all of them, as from a terminal. */
    kill: (signal: 'SIGTERM' | 'SIGINT') =>
      process.kill((signal === 'SIGINT' ? -1 : 1) * (child.pid as number), signal),
    /** Resolves when every process that had its output has ended. */
    ended: async () => {
      await closed
      return { output, signal: child.signalCode }
    }
  }
}

describe.each(['node', 'npm'] as const)('started by %s', (by) => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'a %s during the build ends the step, and no server starts',
    async (signal) => {
      const { printed, kill, ended } = begin(project({ tsc: 'echo compiling; exec sleep 60' }), by)
      await printed('compiling')
      kill(signal)
      expect((await ended()).output).not.toContain('serving')
    }
  )

  it('a SIGTERM during the installation ends it', async () => {
    const { printed, kill, ended } = begin(project({ npm: 'exec sleep 60' }), by)
    await printed('installing')
    kill('SIGTERM')
    expect((await ended()).output).not.toContain('building')
  })

  it('a SIGTERM later stops the server', async () => {
    const { printed, kill, ended } = begin(project(), by)
    await printed('serving')
    kill('SIGTERM')
    expect((await ended()).output).toMatch(/serving\nstopped\n$/)
  })
})

it('ends with the signal, as a program without a handler does', async () => {
  const { printed, kill, ended } = begin(project({ tsc: 'echo compiling; exec sleep 60' }), 'node')
  await printed('compiling')
  kill('SIGTERM')
  expect((await ended()).signal).toBe('SIGTERM')
})

it('ends with the code of a step that fails', async () => {
  const { ended } = begin(project({ tsc: 'echo mistake; exit 7' }), 'node')
  expect((await ended()).output).toMatch(/mistake\n$/)
})
