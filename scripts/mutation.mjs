// Changes the built code in one place at a time, and counts the changes that the related tests notice.
//
//   npm run mutation -- [--minutes N] [--sample N] [--lanes N] [FILE[:LINE] …]
//
// It works on copies of dist below build/mutation, so that nothing else sees a change. A file is parsed by the parser of vite, and each
// mutant replaces one operator, condition, boolean, or statement. A mutant that no test notices survives. Each is printed, with its
// line, and a killed one with the first test that failed.
// `--sample 5` tries the first mutant of each file and each fifth after it; a file is named as in `hub/delivery/window`, a line of it in
// dist as in `hub/delivery/window:57`. The table `related` has the tests that run for a folder of the source.
//
// A run that takes four times as long as without a mutant, and at least a minute, ends: the mutant hangs, and counts as killed.
// Stryker would do the same with 131 more packages, see docs/decisions/0001-dependencies.md.
import { fork } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'

/** @typedef {Record<string, any> & { type: string, start: number, end: number }} Tree */
/** @typedef {{ file: string, line: number, start: number, end: number, text: string, was: string }} Mutant */
/** @typedef {{ tried: number, killed: number, hung: number, all: number }} Score */

const root = fileURLToPath(new URL('..', import.meta.url))
const delivery = ['catch-up', 'caught-up', 'sweep', 'endings', 'subscribe', 'invariants', 'histories'].map(
  (name) => `hub/${name}`
)
const searches = ['hub/history-search', 'hub/epochs', 'hub/topic-filter']
/** The tests that run for the files of a folder; the first line that fits applies. @type {[folder: string, tests: string[]][]} */
const related = [
  ['log/memory/', ['log/memory', 'log/model']],
  ['hub/delivery/endings', ['hub/endings', 'hub/caught-up', 'hub/subscribe', 'hub/control', 'http/ended']],
  ['hub/delivery/', [...delivery, 'hub/control', 'hub/history-search', 'http/ended']],
  ['hub/control/', ['hub/control', 'hub/change-histories', 'http/control']],
  ['hub/revocation/', ['hub/revocation', 'hub/random-revocations']],
  ['hub/presence/', ['hub/presence', 'hub/revocation']],
  ['hub/history/', [...searches, 'hub/authorization', 'http/updates', 'http/ended', 'hub/caught-up', 'hub/invariants']],
  ['hub/nodes/', ['dashboard/nodes']],
  ['', ['hub/authorization', 'hub/presence', 'http/idempotent', 'hub/history-search', ...delivery]]
]
/** Leaves out logs that the table does not mutate, and planted faults: a mutant may change the text that they look for. */
const only = '^(?!.*(LmdbLog|RedisLog|WorkerLog|detects: ))'
const hung = 'a test hung'
const { minutes, sample, lanes, files } = readArguments(process.argv.slice(2))

/** @param {string[]} args */
function readArguments(args) {
  const given = { minutes: 30, sample: 1, lanes: 1, files: /** @type {string[]} */ ([]) }
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--minutes' || arg === '--sample' || arg === '--lanes')
      given[/** @type {'minutes' | 'sample' | 'lanes'} */ (arg.slice(2))] = Number(args[++at])
    else given.files.push(arg)
  }
  if (!(given.minutes > 0 && given.sample > 0 && given.lanes > 0))
    throw new Error('--minutes, --sample and --lanes need a number greater than 0')
  const parts = ['catch-up', 'dispatcher', 'endings', 'sweeper', 'window'].map((name) => `hub/delivery/${name}`)
  return given.files.length > 0
    ? given
    : { ...given, files: [...parts, 'log/memory/retained-entries', 'log/memory/log', 'log/memory/ends'] }
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

/** @param {string} file */
function testsOf(file) {
  const [, tests = []] = related.find(([folder]) => file.startsWith(folder)) ?? []
  return tests.map((name) => `test/${name}.test.ts`)
}

/** A copy of the code and a process that runs tests on it. */
class Lane {
  /** @param {number} number */
  constructor(number) {
    this.folder = join(root, 'build/mutation', String(number))
    rmSync(this.folder, { recursive: true, force: true })
    for (const name of ['dist', 'test', 'package.json', 'tsconfig.base.json', 'vitest.config.ts']) {
      cpSync(join(root, name), join(this.folder, name), { recursive: true })
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'))
    this.runner = this.#start()
    /** Milliseconds that the tests of a file take without a mutant. @type {Map<string, number>} */
    this.durations = new Map()
  }

  #start() {
    const env = { ...process.env, TEST_SEED: '1', TEST_HISTORIES: '10' }
    const path = join(root, 'scripts/mutation-lane.mjs')
    // In a group of its own, since a mutant may hang a process of a test.
    const runner = fork(path, { cwd: this.folder, env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'], detached: true })
    return { runner, isReady: new Promise((resolve) => runner.once('message', resolve)) }
  }

  stop() {
    const { pid } = this.runner.runner
    if (pid) process.kill(-pid, 'SIGKILL')
  }

  /** @param {string} file @param {number} timeoutMs @returns {Promise<string | undefined>} what failed */
  async test(file, timeoutMs) {
    const { runner, isReady } = this.runner
    await isReady
    runner.send({ suites: testsOf(file), only })
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    const failure = await new Promise((resolve, reject) => {
      runner.once('message', (answer) => resolve(/** @type {{ failure?: string }} */ (answer).failure))
      // Tests run in processes of their own: a mutant does not end this one.
      runner.once('exit', () => reject(new Error('the process that runs the tests has ended')))
      timer = setTimeout(() => resolve(hung), timeoutMs)
    })
    clearTimeout(timer)
    for (const event of ['message', 'exit']) runner.removeAllListeners(event)
    if (failure === hung) this.stop()
    if (failure === hung || runner.exitCode !== null) this.runner = this.#start()
    return failure
  }

  /** @param {Mutant} mutant */
  async testMutant(mutant) {
    const { file, start, end, text } = mutant
    const tests = testsOf(file).join()
    const duration = this.durations.get(tests) ?? (await this.#measure(file))
    this.durations.set(tests, duration)
    const path = join(this.folder, 'dist', `${file}.js`)
    const source = readFileSync(path, 'utf8')
    writeFileSync(path, source.slice(0, start) + text + source.slice(end))
    const failure = await this.test(file, Math.max(60_000, 4 * duration))
    writeFileSync(path, source)
    return failure
  }

  /** @param {string} file */
  async #measure(file) {
    const begin = Date.now()
    const failure = await this.test(file, 600_000)
    if (failure) throw new Error(`fails without a mutant: ${failure}`)
    return Date.now() - begin
  }
}

if (!existsSync(join(root, 'dist'))) throw new Error('run npm run build first')
/** @type {Map<string, Score>} */
const scores = new Map()
const queue = files.flatMap((given) => {
  const [file = '', line] = given.split(':')
  const mutants = mutantsOf(file)
  scores.set(file, { tried: 0, killed: 0, hung: 0, all: mutants.length })
  const found = mutants.filter((mutant, at) => (line ? mutant.line === Number(line) : at % sample === 0))
  if (found.length === 0) throw new Error(`${given}: no mutants`)
  return found
})
const chosen = queue.length
const end = Date.now() + minutes * 60_000

/** @param {number} number */
async function work(number) {
  const lane = new Lane(number)
  try {
    for (let mutant = queue.shift(); mutant && Date.now() < end; mutant = queue.shift()) {
      const failure = await lane.testMutant(mutant)
      const score = /** @type {Score} */ (scores.get(mutant.file))
      score.tried++
      if (failure) score.killed++
      if (failure === hung) score.hung++
      const { file, line, was, text } = mutant
      const change = `dist/${file}.js:${line}: ${was.trim()} -> ${text.trim()}`
      console.log(failure ? `killed: ${change} (${failure})` : `survived: ${change}`)
    }
  } finally {
    lane.stop()
  }
}

await Promise.all(Array.from({ length: lanes }, (_, number) => work(number)))
for (const [file, { all, tried, killed, hung }] of scores)
  console.log(
    `dist/${file}.js: ${all} mutants, ${tried} tried, ${killed} killed${hung ? `, ${hung} of them hung` : ''}`
  )
const tried = [...scores.values()].reduce((sum, score) => sum + score.tried, 0)
const killed = [...scores.values()].reduce((sum, score) => sum + score.killed, 0)
console.log(
  `${killed} of ${tried} mutants killed (${((100 * killed) / (tried || 1)).toFixed(1)} %); ${chosen - tried} of ${chosen} not tried`
)
