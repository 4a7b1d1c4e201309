// Reads the memory of processes, and waits until it is stable.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const SAMPLE_MILLIS = 500
const PATIENCE_MILLIS = 120_000

/** Resident bytes. Each shared page counts once, also when several processes map it. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + processBytes(pid), 0)
}

/** Waits until memory has changed by less than half a percent in `calm` milliseconds, for at most two minutes. */
export async function settledBytes(pids: readonly number[], calm: number): Promise<number> {
  const needed = Math.ceil(calm / SAMPLE_MILLIS)
  const samples: number[] = []
  for (let waited = 0; waited < PATIENCE_MILLIS; waited += SAMPLE_MILLIS) {
    samples.push(residentBytes(pids))
    const recent = samples.slice(-needed)
    if (recent.length === needed && Math.max(...recent) <= Math.min(...recent) * 1.005) break
    await sleep(SAMPLE_MILLIS)
  }
  return samples.at(-1) ?? Number.NaN
}

function processBytes(pid: number): number {
  return kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss') ?? kilobytes(`/proc/${pid}/status`, 'VmRSS') ?? Number.NaN
}

function kilobytes(path: string, field: string): number | undefined {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(path, 'latin1'))
    return found ? Number(found[1]) * 1024 : undefined
  } catch {
    return undefined
  }
}
