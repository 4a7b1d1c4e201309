// Prints the coverage of the tests of hub, log, auth, sse, topics, http and the dashboard: a line for each folder of src, and a total. The tests import dist,
// whose files have the names of those in src; the code that runs in processes of its own is not measured.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** @type {Record<string, { path: string, s: Record<string, number>, b: Record<string, number[]> }>} */
const files = JSON.parse(readFileSync(`${root}build/coverage/coverage-final.json`, 'utf8'))

/** @typedef {{ statements: number[], branches: number[] }} Counts */
/** @type {Map<string, Counts>} */
const folders = new Map()
/** @type {Counts} */
const total = { statements: [], branches: [] }

for (const { path, s, b } of Object.values(files)) {
  const [, folder = ''] = relative(root, path).replaceAll('\\', '/').split('/')
  const counts = folders.get(folder) ?? { statements: [], branches: [] }
  folders.set(folder, counts)
  for (const { statements, branches } of [counts, total]) {
    statements.push(...Object.values(s))
    branches.push(...Object.values(b).flat())
  }
}

/** @param {number[]} counts */
const percent = (counts) => `${((100 * counts.filter(Boolean).length) / (counts.length || 1)).toFixed(1)} %`.padStart(8)

/** @param {string} name @param {Counts} counts */
function print(name, { statements, branches }) {
  console.log(`${name.padEnd(12)} statements ${percent(statements)}   branches ${percent(branches)}`)
}

for (const name of [...folders.keys()].sort()) print(`src/${name}`, folders.get(name) ?? total)
print('total', total)

if (process.argv.includes('--uncovered')) {
  for (const { path, ...file } of Object.values(files)) {
    const { branchMap } = /** @type {{ branchMap: Record<string, { loc: { start: { line: number } } }> }} */ (
      /** @type {unknown} */ (file)
    )
    const lines = Object.entries(file.b).flatMap(([id, hits]) =>
      hits.every(Boolean) ? [] : [branchMap[id]?.loc.start.line]
    )
    if (lines.length > 0) console.log(`${relative(root, path)}: ${[...new Set(lines)].join(', ')}`)
  }
}
