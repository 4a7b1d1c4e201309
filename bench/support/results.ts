// Writes the results of a run as JSON next to the compiled benchmarks.
import { writeFileSync } from 'node:fs'

export function saveResults(results: object): void {
  const file = new URL('../results.json', import.meta.url)
  writeFileSync(file, `${JSON.stringify({ finished: new Date().toISOString(), ...results }, null, 2)}\n`)
}
