// The Lua scripts that run inside Redis, where nothing comes between two of their steps. Each is put together from the files in `lua/`.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface Script {
  readonly text: string
  readonly sha: string
}

export const scripts = {
  append: load('', 'common', 'retention', 'deletion', 'dedup', 'append'),
  maintain: load('flags=allow-oom', 'common', 'retention', 'deletion', 'maintain'),
  query: load('flags=allow-oom', 'common', 'query'),
  inbox: load('flags=allow-oom', 'inbox')
}

function load(flags: string, ...parts: readonly string[]): Script {
  const files = parts.map((part) => readFileSync(new URL(`lua/${part}.lua`, import.meta.url), 'utf8'))
  const text = [`#!lua ${flags}`.trim(), ...files].join('\n')
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
