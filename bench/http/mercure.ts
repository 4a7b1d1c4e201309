// The reference hub of Mercure, in Go, built from its module with a main function of a few lines.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Server } from '../contenders/contender.ts'
import { freePort, reachable } from '../support/port.ts'
import { start, stop } from '../support/process.ts'

const version = 'v0.24.2'
const folder = fileURLToPath(new URL('../../mercure-hub/', import.meta.url))
const program = `${folder}hub`

const source = `package main

import (
	"context"
	"net/http"
	"os"
	"runtime"

	"github.com/dunglas/mercure"
)

func main() {
	runtime.GOMAXPROCS(1)
	key := []byte(os.Args[2])
	hub, err := mercure.NewHub(context.Background(), mercure.WithAnonymous(),
		mercure.WithTransport(mercure.NewLocalTransport(mercure.NewSubscriberList(100000))),
		mercure.WithPublisherJWT(key, "HS256"), mercure.WithSubscriberJWT(key, "HS256"))
	if err != nil {
		panic(err)
	}
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], hub))
}
`

export const mercureVersion = `Mercure ${version}, one core`

/** Builds the hub once; undefined if that succeeded. It needs Go, and the modules from its proxy. */
export function mercureObstacle(): string | undefined {
  if (existsSync(program)) return undefined
  if (spawnSync('go', ['version']).status !== 0) return 'Go is not installed'
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}main.go`, source)
  writeFileSync(`${folder}go.mod`, 'module hub\n\ngo 1.25\n')
  try {
    const env = { ...process.env, GOFLAGS: '-mod=mod' }
    execFileSync('go', ['get', `github.com/dunglas/mercure@${version}`], { cwd: folder, env, stdio: 'pipe' })
    execFileSync('go', ['build', '-o', program, '.'], { cwd: folder, env, stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `it could not be built: ${(error as Error).message.split('\n')[0]}`
  }
}

export async function startMercure(key: string): Promise<Server> {
  const port = await freePort()
  const started = start(program, [String(port), key])
  await reachable(port, started)
  return { port, pids: [started.pid], stop: () => stop(started) }
}
