// Changes the built code in one place at a time, and counts the changes that the fast tests notice.
//
//   npm run mutation -- [--minutes N] [--sample N] [FILE …]
//
// It works on copies of dist below build/mutation, so that nothing else sees a change. A file is parsed by the parser of vite, and each
// mutant replaces one operator, condition, constant, or statement. A mutant that no test notices survives: it is printed, with its line.
// `--sample 5` tries each fifth mutant; a file is named as in `hub/delivery/window`.
// Stryker would do the same with 131 more packages, see docs/decisions/0001-dependencies.md.
import { spawn } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'

/** @typedef {Record<string, any> & { type: string, start: number, end: number }} Tree */
/** @typedef {{ file: string, line: number, start: number, end: number, text: string, was: string }} Mutant */

const root = fileURLToPath(new URL('..', import.meta.url))
const { minutes, sample, files } = readArguments(process.argv.slice(2))
const suites = [
  'test/log/memory.test.ts',
  'test/hub/invariants.test.ts',
  'test/hub/subscribe.test.ts',
  'test/hub/catch-up.test.ts',
  'test/hub/caught-up.test.ts',
  'test/http/ended.test.ts',
  'test/hub/histories.test.ts'
]
const timeoutMs = 90_000
const lanes = 2

/** @param {string[]} args */
function readArguments(args) {
  const given = { minutes: 30, sample: 1, files: /** @type {string[]} */ ([]) }
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--minutes' || arg === '--sample')
      given[arg === '--minutes' ? 'minutes' : 'sample'] = Number(args[++at])
    else given.files.push(arg)
  }
  if (!(given.minutes > 0 && given.sample > 0)) throw new Error('--minutes and --sample need a number greater than 0')
  const parts = ['catch-up', 'dispatcher', 'endings', 'sweeper', 'window'].map((name) => `hub/delivery/${name}`)
  return given.files.length > 0
    ? given
    : { ...given, files: [...parts, 'log/memory/retained-entries', 'log/memory/log'] }
}

const swapped = new Map(
  Object.entries({
    '===': '!==',
    '!==': '===',
    '<': '<=',
    '<=': '<',
    '>': '>=',
    '>=': '>',
    '+': '-',
    '-': '+',
    '&&': '||',
    '||': '&&'
  })
)

/** @param {Tree} tree @returns {Generator<Tree>} */
function* nodesOf(tree) {
  yield tree
  for (const child of Object.values(tree).flat()) if (typeof child?.type === 'string') yield* nodesOf(child)
}

/** @param {string} file @returns {Mutant[]} */
function mutantsOf(file) {
  const source = readFileSync(join(root, 'dist', `${file}.js`), 'utf8')
  /** @type {Mutant[]} */
  const mutants = []
  /** @param {Tree} at @param {string} text */
  const add = ({ start, end }, text) => {
    const was = source.slice(start, end)
    mutants.push({ file, line: source.slice(0, start).split('\n').length, start, end, text, was })
  }
  for (const tree of nodesOf(/** @type {any} */ (parseSync(`${file}.js`, source).program))) {
    const operator = swapped.get(tree.operator)
    if (operator && tree.left && !/[`'"]/.test(source.slice(tree.start, tree.end))) {
      const [from, to] = [tree.left.end, tree.right.start]
      add({ type: '', start: from, end: to }, source.slice(from, to).replace(tree.operator, operator))
    }
    if (tree.type === 'IfStatement' || tree.type === 'ConditionalExpression') {
      add(tree.test, `(${source.slice(tree.test.start, tree.test.end)}, true)`)
      add(tree.test, `(${source.slice(tree.test.start, tree.test.end)}, false)`)
    }
    if (tree.type === 'Literal' && typeof tree.value === 'boolean') add(tree, String(!tree.value))
    if (tree.type === 'ExpressionStatement' && tree.expression.type !== 'Literal') add(tree, ';')
  }
  return mutants
}

/** Runs the tests on the copy of a lane. @param {string} folder @returns {Promise<boolean>} whether they pass */
async function passes(folder) {
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--bail=1',
    '--maxWorkers=2',
    '--reporter=dot',
    ...suites
  ]
  const env = { ...process.env, TIDINGS_SEED: '1', TIDINGS_HISTORIES: '25' }
  // In a group of its own, since a mutant may hang a process of a test.
  const run = spawn(process.execPath, args, { cwd: folder, env, stdio: 'ignore', detached: true })
  const stop = () => run.pid && process.kill(-run.pid, 'SIGKILL')
  const timer = setTimeout(stop, timeoutMs)
  const code = await new Promise((resolve) => run.once('exit', resolve))
  clearTimeout(timer)
  return code === 0
}

/** @param {number} lane */
function prepare(lane) {
  const folder = join(root, 'build/mutation', String(lane))
  rmSync(folder, { recursive: true, force: true })
  for (const name of ['dist', 'test', 'package.json', 'tsconfig.base.json', 'vitest.config.ts']) {
    cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

const all = files.flatMap(mutantsOf).filter((_, at) => at % sample === 0)
const queue = [...all]
const end = Date.now() + minutes * 60_000
/** @type {Mutant[]} */
const survivors = []
let killed = 0
/** @type {Map<string, { tried: number, killed: number }>} */
const scores = new Map()

/** @param {number} lane */
async function work(lane) {
  const folder = prepare(lane)
  if (!(await passes(folder))) throw new Error('the tests fail without a mutant')
  for (let mutant = queue.shift(); mutant && Date.now() < end; mutant = queue.shift()) {
    const path = join(folder, 'dist', `${mutant.file}.js`)
    const source = readFileSync(path, 'utf8')
    writeFileSync(path, source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end))
    const score = scores.get(mutant.file) ?? { tried: 0, killed: 0 }
    scores.set(mutant.file, score)
    score.tried++
    if (await passes(folder)) {
      survivors.push(mutant)
      console.log(`survived: dist/${mutant.file}.js:${mutant.line}: ${mutant.was.trim()} -> ${mutant.text.trim()}`)
    } else {
      killed++
      score.killed++
    }
    writeFileSync(path, source)
  }
}

if (!existsSync(join(root, 'dist'))) throw new Error('run npm run build first')
await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)))
const tried = killed + survivors.length
for (const [file, score] of scores) console.log(`dist/${file}.js: ${score.killed} of ${score.tried} killed`)
console.log(
  `${killed} of ${tried} mutants killed (${((100 * killed) / (tried || 1)).toFixed(1)} %); ${all.length - tried} of ${all.length} not tried`
)
