// Makes every npm script work on a fresh clone: installs when the lock file changed, builds when a source changed, then
// runs what was asked. It imports only modules of Node, since it runs before the install.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
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
 * @param {string} stamp @param {string[]} inputs @param {() => void} work */
function whenChanged(stamp, inputs, work) {
  const file = join(root, stamp)
  const now = hashOf(inputs)
  if (existsSync(file) && readFileSync(file, 'utf8') === now) return
  work()
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, now)
}

/** @param {string} program @param {string[]} programArgs @param {'inherit' | 'quiet'} output */
function run(program, programArgs, output = 'inherit') {
  const stdio = output === 'quiet' ? 'pipe' : 'inherit'
  const result = spawnSync(program, programArgs, { cwd: root, stdio, shell: process.platform === 'win32' })
  if (result.status === 0) return
  if (result.stdout) process.stderr.write(result.stdout)
  if (result.stderr) process.stderr.write(result.stderr)
  if (result.error) console.error(`could not run ${program}: ${result.error.message}`)
  process.exit(result.status ?? 1)
}

/** @param {string} name @param {string[]} toolArgs */
const tool = (name, ...toolArgs) => run(join(root, 'node_modules', '.bin', name), toolArgs)

function install() {
  whenChanged('node_modules/.tidings-stamp', ['package-lock.json'], () => {
    console.error('installing dependencies (once) …')
    run('npm', ['ci', '--no-audit', '--no-fund', '--include=dev'], 'quiet')
  })
}

/** The client and the hooks again: checked without the types of Node, and in CommonJS for applications that use `require`. */
function buildForBrowsers() {
  for (const layer of ['client', 'react']) {
    tool('tsc', '-p', `src/${layer}`)
    tool('tsc', '-p', `src/${layer}/tsconfig.cjs.json`)
  }
  writeFileSync(join(root, 'dist/cjs/package.json'), '{"type":"commonjs"}\n')
}

/** Type-checks the pages, bundles style and script of each, and makes one document of them. */
function bundlePages() {
  tool('tsc', '-p', 'src/pages')
  bundlePage('live', 'main.ts', [])
  const licenses = '/*! Contains Preact (MIT, Jason Miller) and uPlot (MIT, Leon Sorokin). */'
  bundlePage('dashboard', 'main.tsx', ['--minify', `--banner:js=${licenses}`])
}

/** @param {string} name @param {string} script @param {string[]} options */
function bundlePage(name, script, options) {
  const source = `src/pages/${name}`
  const form = ['--bundle', '--target=es2022', '--charset=utf8', '--legal-comments=none', '--log-level=warning']
  const jsx = ['--jsx=automatic', '--jsx-import-source=preact']
  tool(
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
  tool(
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

function build() {
  install()
  whenChanged(
    'dist/.stamp',
    ['src', 'scripts/bundle-cli.mjs', 'tsconfig.json', 'tsconfig.base.json', 'package-lock.json'],
    () => {
      console.error('building …')
      rmSync(join(root, 'dist'), { recursive: true, force: true })
      tool('tsc', '-p', 'tsconfig.json')
      buildForBrowsers()
      bundlePages()
      cpSync(join(root, 'src/log/redis/lua'), join(root, 'dist/log/redis/lua'), { recursive: true })
      // In a process of its own, since esbuild may not have been installed when this one began.
      run(process.execPath, [join(root, 'scripts/bundle-cli.mjs'), join(root, 'dist')])
    }
  )
}

const commands = {
  build,
  async start() {
    build()
    const main = join(root, 'dist/cli/main.js')
    process.argv = [process.execPath, main, 'serve', ...args]
    await import(pathToFileURL(main).href)
  },
  test() {
    build()
    tool('vitest', 'run', ...args)
  },
  soak() {
    process.env.TIDINGS_SOAK = '1'
    process.env.TIDINGS_HISTORIES ??= '5000'
    commands.test()
    if (args.length === 0) commands.workers()
  },
  /** The suites of the server, whose servers have two worker processes. */
  workers() {
    process.env.TIDINGS_WORKERS = '2'
    build()
    tool('vitest', 'run', ...(args.length > 0 ? args : ['test/server', 'test/mercure']))
  },
  /** Builds the site of the documents into build/site; `--serve` shows it, and `--port` chooses where. */
  docs() {
    install()
    tool('vitepress', 'build', 'site')
    const [serve, ...rest] = args
    if (serve === '--serve') tool('vitepress', 'preview', 'site', ...(rest.length > 0 ? rest : ['--port', '4173']))
  },
  /** Of the tests in this process; `--uncovered` lists the lines with a branch that none of them takes. */
  coverage() {
    build()
    process.env.TIDINGS_HISTORIES ??= '20'
    tool('vitest', 'run', '--config', 'vitest.coverage.config.ts')
    run(process.execPath, ['scripts/coverage.mjs', ...args])
  },
  mutation() {
    build()
    run(process.execPath, ['scripts/mutation.mjs', ...args])
  },
  bench() {
    build()
    tool('tsc', '-p', 'bench')
    run(process.execPath, ['build/bench/main.js', ...args])
  },
  check() {
    build()
    tool('biome', 'check', '.')
    run(process.execPath, ['scripts/check-lua.mjs'])
    tool('tsc', '-p', 'test')
    tool('tsc', '-p', 'bench', '--noEmit')
    tool('vitest', 'run', ...args)
  },
  help() {
    console.error(`npm run <${Object.keys(commands).join('|')}>`)
    process.exit(2)
  }
}

const chosen = /** @type {Record<string, () => unknown>} */ (commands)[command] ?? commands.help
await chosen()
