// Runs the commands and programs of the pages in docs/ as they are written there, with one server for each page:
//
// - `sh`: every command. Of one that starts a server, its options are checked. Streams are cut after a moment.
// - `js`: every program that does not begin with `// before`. It has to end, or to run for two seconds, without an error.
// - `ts`: types only. `php`: the class for Laravel, with the server of its page.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { curl, describeWith, php } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type LocalServer, startInProcess } from '../support/servers/in-process.ts'

const run = promisify(execFile)
const folder = resolve('build/pages')
const key = 'a key of the test of the pages, which is long enough'

/** The pages, and the options of the server for their commands. */
const pages = {
  'getting-started': [],
  concepts: [],
  publishing: ['--idempotent', '1h'],
  subscribing: [],
  authorization: ['--anonymous', '--publisher-key', key, '--subscriber-key', key],
  history: ['--allow-delete'],
  ai: [],
  embedding: [],
  debugging: [],
  migrating: []
} as const

const read = (page: string) => readFileSync(join('docs', `${page}.md`), 'utf8')
const blocks = (page: string, language: string) =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code as string)

const env = { TIDINGS_PUBLISHER_KEY: key, TIDINGS_SUBSCRIBER_KEY: key }

/** A stream has no end, and a command that starts a server would not end either. */
// The keys of an earlier example are not set in the terminal of the next one.
const prelude = `set -euo pipefail
curl() {
  local code=0
  command curl --fail --silent --max-time 1 "$@" || code=$?
  if [ $code = 28 ]; then return 0; fi
  if [ $code != 0 ]; then echo "curl $*: exit code $code" >&2; fi
  return $code
}
npm() { npx tidings serve "\${@:3}"; }
npx() {
  shift
  if [ "$1" = serve ]; then shift; set -- check-config "$@"; fi
  if [[ "$*" = *-jwks* ]]; then unset TIDINGS_PUBLISHER_KEY TIDINGS_SUBSCRIBER_KEY; fi
  "${process.execPath}" dist/cli/main.js "$@"
}`

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
})

describeWith(await curl(), 'the pages', () => {
  describe.each(Object.entries(pages))('%s', (page, args) => {
    let server: LocalServer
    beforeAll(async () => {
      server = await startInProcess({ args })
    })
    afterAll(() => server.stop())
    const local = (code: string) => code.replaceAll('http://127.0.0.1:5000', server.url)

    const commands = blocks(page, 'sh')
    if (commands.length > 0) {
      it('runs its commands', async () => {
        // The keys of the page are those of its server.
        const script = commands.join('\n').replaceAll(/(_KEY)=\$\(openssl[^)]*\)/g, `$1='${key}'`)
        const setting = { env: { ...process.env, ...env, TIDINGS_URL: server.url }, timeout: 120_000 }
        const { stdout, stderr } = await run('bash', ['-c', `${prelude}\n${local(script)}`], setting)
        expect(stderr).toBe('')
        expect(stdout).not.toMatch(/^fault/m)
      })
    }

    const programs = blocks(page, 'js').filter((code) => !code.startsWith('// before'))
    if (programs.length > 0) {
      it('runs its programs', async () => {
        const made = programs.map(async (code, index) => {
          const path = join(folder, `${page}-${index}.mjs`)
          writeFileSync(path, local(code).replace(/\b3000\b/, String(await freePort())))
          return runProgram(path, /\.listen\(/.test(code))
        })
        expect(await Promise.all(made)).toEqual(programs.map(() => ''))
      })
    }
  })
})

/** What is wrong with a program. One that serves does not end, so it is stopped. */
async function runProgram(path: string, serves: boolean): Promise<string> {
  const child = spawn(process.execPath, [path], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env }
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const timer = setTimeout(() => child.kill(), serves ? 2_000 : 15_000)
  const [status, signal] = await once(child, 'close')
  clearTimeout(timer)
  if (errors !== '' || (serves ? signal === 'SIGTERM' : status === 0)) return errors
  return `${path} ended with ${signal ?? status}`
}

describe('the code', () => {
  const before = blocks('migrating', 'js').filter((code) => code.startsWith('// before'))

  it('of other packages has valid syntax', async () => {
    expect(before.length).toBe(4)
    for (const code of before) await transform(code, { loader: 'js' })
  })

  it('has valid types', async () => {
    const names = Object.keys(pages).flatMap((page) =>
      blocks(page, 'ts').map((code, index) => {
        // Each block is a module of its own.
        writeFileSync(join(folder, `${page}-${index}.ts`), `${code}\nexport {}\n`)
        return `${page}-${index}.ts`
      })
    )
    expect(names.length).toBeGreaterThanOrEqual(4)
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023', 'dom', 'dom.iterable'],
      types: ['node'],
      strict: true,
      noEmit: true,
      skipLibCheck: true
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const check = run('node_modules/.bin/tsc', ['-p', folder])
    expect(await check.catch(({ stdout, message }: { stdout: string; message: string }) => stdout || message)).toEqual({
      stdout: '',
      stderr: ''
    })
  })
})

describeWith(await php(), 'the class for Laravel', (program) => {
  it('publishes to a user, who reads it with the token', async () => {
    const server = await startInProcess({ args: pages.authorization })
    try {
      const [code = ''] = blocks('authorization', 'php')
      const path = join(folder, 'Tidings.php')
      writeFileSync(path, code)
      const script = `require '${path}';
        $tidings = new App\\Services\\Tidings('${server.url}', '${key}', '${key}');
        echo json_encode(['id' => $tidings->notify('ann', ['state' => 'paid']), 'token' => $tidings->tokenFor('ann')]);`
      const { stdout } = await run(program, ['-r', script])
      const { id, token } = JSON.parse(stdout) as { id: string; token: string }
      const query = 'topic=users/ann&after=earliest'
      const page = await run('curl', ['-s', '-H', `Authorization: Bearer ${token}`, `${server.url}/updates?${query}`])
      const { updates } = JSON.parse(page.stdout) as { updates: { id: string; data: string }[] }
      expect(updates).toMatchObject([{ id, data: '{"state":"paid"}' }])
    } finally {
      await server.stop()
    }
  })
})
