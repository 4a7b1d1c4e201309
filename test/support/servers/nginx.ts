// Debian's nginx with a configuration and folder of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { newFolder } from '../log/log-folder.ts'
import { freePort } from './free-port.ts'

/** Runs nginx in front of a server until the test ends. @param location directives in `location /` besides `proxy_pass` */
export async function startNginxBefore(
  program: string,
  upstream: string,
  location: readonly string[]
): Promise<string> {
  const port = await freePort()
  const directives = [`proxy_pass ${upstream};`, ...location].join('\n')
  await startNginx(program, `server { listen 127.0.0.1:${port}; location / { ${directives} } }`, port)
  return `http://127.0.0.1:${port}`
}

/** Runs nginx until the test ends; resolves when it responds. `http` is the content of `http { … }`. */
export async function startNginx(program: string, http: string, port: number): Promise<void> {
  const folder = newFolder()
  mkdirSync(join(folder, 'tmp'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/tmp/${name};`
  )
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1; events { worker_connections 2048; }
     http { access_log off; ${temporary.join(' ')} ${http} }`
  )
  const child = spawn(program, ['-c', file, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  onTestFinished(() => stop(child))
  for (let tries = 0; ; tries++) {
    const answers = await fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.body?.cancel().then(() => true),
      () => false
    )
    if (answers !== false) return
    if (tries === 100 || child.exitCode !== null) throw new Error('nginx does not answer')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'close')
}
