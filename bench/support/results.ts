// Keeps a run's results as JSON beside the compiled benchmarks; it knows not what they say.
import { writeFileSync } from 'node:fs'

export function saveResults(results: object): void {
  const file = new URL('../results.json', import.meta.url)
  writeFileSync(file, `${JSON.stringify({ finished: new Date().toISOString(), ...results }, null, 2)}\n`)
}
