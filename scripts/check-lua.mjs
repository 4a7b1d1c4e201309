// Checks the syntax of the Lua scripts that run inside Redis, without Redis. `npm run check` runs it.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import luaparse from 'luaparse'

const folder = fileURLToPath(new URL('../src/log/redis/lua/', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.lua'))
let failures = files.length === 0 ? 1 : 0
for (const name of files) {
  try {
    luaparse.parse(readFileSync(`${folder}${name}`, 'utf8'), { luaVersion: '5.1' })
  } catch (error) {
    failures++
    console.error(`src/log/redis/lua/${name}: ${/** @type {Error} */ (error).message}`)
  }
}
process.exitCode = failures === 0 ? 0 : 1
