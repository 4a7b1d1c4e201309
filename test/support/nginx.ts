// Runs nginx before a server until the test ends, with a configuration of the test's own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { freePort } from './free-port.js'
import { newFolder } from './log-folder.js'

/** @param location what stands in `location /` besides `proxy_pass` */
export async function startNginx(program: string, upstream: string, location: readonly string[]): Promise<string> {
  const folder = newFolder()
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, port, [`proxy_pass ${upstream};`, ...location]))
  const child = spawn(program, ['-p', folder, '-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const gone = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await gone
  })
  await expect.poll(() => isListening(port), { timeout: 5_000, message: `nginx to listen; it said ${said}` }).toBe(true)
  return `http://127.0.0.1:${port}`
}

function configuration(folder: string, port: number, location: readonly string[]): string {
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`
  )
  return `daemon off;
    master_process off;
    pid ${folder}/nginx.pid;
    error_log stderr error;
    events { worker_connections 64; }
    http {
      access_log off;
      ${kept.join('\n')}
      server { listen 127.0.0.1:${port}; location / { ${location.join('\n')} } }
    }`
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
