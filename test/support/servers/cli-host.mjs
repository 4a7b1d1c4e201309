// A process that runs the command line once for each message, with the arguments and the environment of the message. It
// answers with what the command printed and its exit code.
import { fileURLToPath, pathToFileURL } from 'node:url'

const file = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const main = pathToFileURL(file).href
let runs = 0

/** @param {{ args: string[], env: Record<string, string> }} command */
async function run({ args, env }) {
  const written = { stdout: '', stderr: '' }
  for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
    process[name].write = (/** @type {string | Uint8Array} */ text) => {
      written[name] += text
      return true
    }
  }
  process.argv = [process.execPath, file, ...args]
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.exitCode = 0
  // With another query, the entry point runs again. What it imports stays loaded.
  await import(`${main}?${++runs}`)
  // Each run adds one.
  process.stdout.removeAllListeners('error')
  return { code: process.exitCode, ...written }
}

/** @type {Promise<unknown>} */
let last = Promise.resolve()
process.on('message', (/** @type {{ id: number, args: string[], env: Record<string, string> }} */ command) => {
  last = last.then(async () => process.send?.({ id: command.id, ended: await run(command) }))
})
