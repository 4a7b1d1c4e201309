// Makes every npm script work on a fresh clone: installs when the lock file changed, builds when a source changed, then
// runs what was asked. It imports only modules of Node, since it runs before the install.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [command = 'help', ...args] = process.argv.slice(2)

/** @param {string[]} paths files and folders below the root; the hash covers names and contents */
function hashOf(paths) {
  const hash = createHash('sha256').update(process.versions.modules)
  /** @param {string} path */
  const add = (path) => {
    const full = join(root, path)
    if (!existsSync(full)) return
    try {
      for (const name of readdirSync(full).sort()) add(join(path, name))
    } catch {
      hash.update(`\0${path}\0`).update(readFileSync(full))
    }
  }
  for (const path of paths) add(path)
  return hash.digest('hex')
}

/** Does `work` only when what it depends on has changed since it last succeeded.
 * @param {string} stamp @param {string[]} inputs @param {() => Promise<void>} work */
async function whenChanged(stamp, inputs, work) {
  const file = join(root, stamp)
  const now = hashOf(inputs)
  if (existsSync(file) && readFileSync(file, 'utf8') === now) return
  await work()
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, now)
}

/** @param {string} program @param {string[]} programArgs @param {'inherit' | 'quiet'} output */
async function run(program, programArgs, output = 'inherit') {
  const stdio = output === 'quiet' ? 'pipe' : 'inherit'
  const child = spawn(program, programArgs, { cwd: root, stdio, shell: process.platform === 'win32' })
  /** @type {Uint8Array[]} */
  const printed = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => printed.push(chunk))
  const release = endOnSignal(child)
  const [status] = await once(child, 'close').catch((error) => {
    console.error(`could not run ${program}: ${error.message}`)
    return [1]
  })
  release()
  if (status === 0) return
  for (const chunk of printed) process.stderr.write(chunk)
  process.exit(status ?? 1)
}

const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/** Until the returned function is called, a signal ends the child and then this process. A second one does not wait.
 * @param {import('node:child_process').ChildProcess} child */
function endOnSignal(child) {
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    const leave = () => {
      release()
      process.kill(process.pid, signal)
    }
    release()
    for (const name of signals) process.once(name, leave)
    child.removeAllListeners('close').once('close', leave)
    child.kill(signal)
  }
  const release = () => {
    for (const name of signals) process.removeAllListeners(name)
  }
  for (const name of signals) process.on(name, end)
  return release
}

/**
 * npm passes a signal to the shell that it started, and the shell of some systems ends without passing it on. So this
 * process ends when its parent does.
 */
function endWithParent() {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 200)
  timer.unref()
}

/** @param {string} name @param {string[]} toolArgs */
const tool = (name, ...toolArgs) => run(join(root, 'node_modules', '.bin', name), toolArgs)

async function install() {
  await whenChanged('node_modules/.tidings-stamp', ['package-lock.json'], async () => {
    console.error('installing dependencies (once) …')
    await run('npm', ['ci', '--no-audit', '--no-fund', '--include=dev'], 'quiet')
  })
}

/** The client and the hooks again: checked without the types of Node, and in CommonJS for applications that use `require`. */
async function buildForBrowsers() {
  for (const layer of ['client', 'react']) {
    await tool('tsc', '-p', `src/${layer}`)
    await tool('tsc', '-p', `src/${layer}/tsconfig.cjs.json`)
  }
  writeFileSync(join(root, 'dist/cjs/package.json'), '{"type":"commonjs"}\n')
}

/** Type-checks the pages, bundles style and script of each, and makes one document of them. */
async function bundlePages() {
  await tool('tsc', '-p', 'src/pages')
  await bundlePage('live', 'main.ts', [])
  const licenses = '/*! Contains Preact (MIT, Jason Miller) and uPlot (MIT, Leon Sorokin). */'
  await bundlePage('dashboard', 'main.tsx', ['--minify', `--banner:js=${licenses}`])
}

/** @param {string} name @param {string} script @param {string[]} options */
async function bundlePage(name, script, options) {
  const source = `src/pages/${name}`
  const form = ['--bundle', '--target=es2022', '--charset=utf8', '--legal-comments=none', '--log-level=warning']
  const jsx = ['--jsx=automatic', '--jsx-import-source=preact']
  await tool(
    'esbuild',
    `${source}/${script}`,
    '--format=esm',
    ...form,
    ...jsx,
    ...options,
    `--outfile=build/pages/${name}.js`
  )
  // Without a target, which would replace `light-dark()`.
  const minify = options.filter((option) => option === '--minify')
  await tool(
    'esbuild',
    `${source}/${name}.css`,
    '--bundle',
    ...minify,
    '--log-level=warning',
    `--outfile=build/pages/${name}.css`
  )
  /** @param {string} path */
  const read = (path) => readFileSync(join(root, path), 'utf8')
  // A `</script` in it would end the element; in JavaScript, the escaped form means the same.
  const inlined = read(`build/pages/${name}.js`).replace(/<\/(?=script)/gi, '<\\/')
  const page = read(`${source}/${name}.html`)
    .replace(`<link rel="stylesheet" href="${name}.css">`, () => `<style>${read(`build/pages/${name}.css`)}</style>`)
    .replace(`<script type="module" src="${name}.js"></script>`, () => `<script type="module">${inlined}</script>`)
  mkdirSync(join(root, `dist/pages/${name}`), { recursive: true })
  writeFileSync(join(root, `dist/pages/${name}/${name}.html`), page)
}

async function build() {
  await install()
  await whenChanged(
    'dist/.stamp',
    ['src', 'scripts/bundle-cli.mjs', 'tsconfig.json', 'tsconfig.base.json', 'package-lock.json'],
    async () => {
      console.error('building …')
      rmSync(join(root, 'dist'), { recursive: true, force: true })
      await tool('tsc', '-p', 'tsconfig.json')
      await buildForBrowsers()
      await bundlePages()
      cpSync(join(root, 'src/log/redis/lua'), join(root, 'dist/log/redis/lua'), { recursive: true })
      // In a process of its own, since esbuild may not have been installed when this one began.
      await run(process.execPath, [join(root, 'scripts/bundle-cli.mjs'), join(root, 'dist')])
    }
  )
}

const commands = {
  build,
  async start() {
    await build()
    const main = join(root, 'dist/cli/main.js')
    process.argv = [process.execPath, main, 'serve', ...args]
    await import(pathToFileURL(main).href)
  },
  async test() {
    await build()
    await tool('vitest', 'run', ...args)
  },
  async soak() {
    process.env.TEST_SOAK = '1'
    process.env.TEST_HISTORIES ??= '5000'
    await commands.test()
    if (args.length === 0) await commands.workers()
  },
  /** The suites of the server, whose servers have two worker processes. */
  async workers() {
    process.env.TIDINGS_WORKERS = '2'
    await build()
    await tool('vitest', 'run', ...(args.length > 0 ? args : ['test/server', 'test/mercure']))
  },
  /** Builds the site of the documents into build/site; `--serve` shows it, and `--port` chooses where. */
  async docs() {
    await install()
    await tool('vitepress', 'build', 'site')
    const [serve, ...rest] = args
    if (serve === '--serve')
      await tool('vitepress', 'preview', 'site', ...(rest.length > 0 ? rest : ['--port', '4173']))
  },
  /** Of the tests in this process; `--uncovered` lists the lines with a branch that none of them takes. */
  async coverage() {
    await build()
    process.env.TEST_HISTORIES ??= '20'
    await tool('vitest', 'run', '--config', 'vitest.coverage.config.ts')
    await run(process.execPath, ['scripts/coverage.mjs', ...args])
  },
  async mutation() {
    await build()
    await run(process.execPath, ['scripts/mutation.mjs', ...args])
  },
  async bench() {
    await build()
    await tool('tsc', '-p', 'bench')
    await run(process.execPath, ['build/bench/main.js', ...args])
  },
  async check() {
    await build()
    await tool('biome', 'check', '.')
    await run(process.execPath, ['scripts/check-lua.mjs'])
    await tool('tsc', '-p', 'test')
    await tool('tsc', '-p', 'bench', '--noEmit')
    await tool('vitest', 'run', ...args)
  },
  help() {
    console.error(`npm run <${Object.keys(commands).join('|')}>`)
    process.exit(2)
  }
}

const chosen = /** @type {Record<string, () => unknown>} */ (commands)[command] ?? commands.help
endWithParent()
await chosen()
