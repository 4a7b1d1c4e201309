// nginx with the nchan module in a folder of its own, one worker, everything in memory.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, reachable } from '../support/port.ts'
import { family, start, stop } from '../support/process.ts'
import type { Contender, Server } from './contender.ts'

const DEBIAN_MODULES = '/usr/lib/nginx/modules'
const MODULE = 'ngx_nchan_module.so'
const PACKAGES = ['nginx', 'libnginx-mod-nchan']

export const nchan: Contender = {
  name: 'nchan',
  subscribePath: '/subscribe?topic=bench',
  publishPath: '/publish?topic=bench',
  version: () => `${moduleVersion()} in ${nginxSays('-v').trim().replace('nginx version: ', '')}`,
  obstacle() {
    if (nginxSays('-v') === '') return 'nginx is not installed (on Debian, as root: add --install)'
    if (!existsSync(modulePath())) return `the module ${MODULE} is not installed (on Debian, as root: add --install)`
    return undefined
  },
  start: startNginx
}

export function installNchan(): void {
  if (nchan.obstacle() === undefined) return
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...PACKAGES], { stdio: 'inherit' })
}

async function startNginx(connections: number): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-nchan-'))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, port, connections))
  const started = start('nginx', ['-p', folder, '-c', file, '-e', join(folder, 'error.log')])
  await reachable(port, started)
  // The port is open before there is a worker.
  let pids = family(started.pid)
  while (pids.length < 2) {
    await sleep(10)
    pids = family(started.pid)
  }
  return {
    port,
    pids,
    async stop() {
      await stop(started)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

// The worker keeps our user, because it writes to our folder. Buffers are in shared memory, which is the default of nchan and its
// fastest mode. The message buffer is longer than the publishes in flight, so that a slow reader loses none.
//
// When less than a sixteenth of the connections is free, nginx closes idle ones; so there is a tenth more. nginx allocates all of
// them at start, so much of the memory of a connection does not show as growth.
function configuration(folder: string, port: number, connections: number): string {
  const room = Math.ceil(connections * 1.1) + 64
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `load_module ${modulePath()};
daemon off;
${process.getuid?.() === 0 ? `user ${userInfo().username};` : ''}
worker_processes 1;
worker_rlimit_nofile ${room + 64};
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections ${room}; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  nchan_shared_memory_size 256m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /subscribe { nchan_subscriber eventsource; nchan_channel_id $arg_topic; nchan_subscriber_first_message newest; }
    location = /publish {
      nchan_publisher http;
      nchan_channel_id $arg_topic;
      nchan_message_buffer_length 1000;
      nchan_message_timeout 60s;
    }
  }
}
`
}

function modulePath(): string {
  const compiledIn = /--modules-path=(\S+)/.exec(nginxSays('-V'))?.[1]
  return join(compiledIn ?? DEBIAN_MODULES, MODULE)
}

/** The version output of nginx, which is on standard error; empty when nginx is not installed. */
function nginxSays(flag: string): string {
  return spawnSync('nginx', [flag], { encoding: 'utf8' }).stderr ?? ''
}

// The module does not report its version, but its package does.
function moduleVersion(): string {
  const query = spawnSync('dpkg-query', ['-W', '-f', '$' + '{Version}', 'libnginx-mod-nchan'], { encoding: 'utf8' })
  return query.stdout?.trim() || 'nchan of unknown version'
}
