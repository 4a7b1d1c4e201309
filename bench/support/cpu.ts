// Reads the CPU time of processes and of the whole machine.
import { readFileSync } from 'node:fs'

// Linux reports /proc times in ticks of USER_HZ, which is 100 on every architecture that Node runs on.
const MICROS_PER_TICK = 10_000

/** User plus system time of the processes so far, in microseconds. A process that has ended counts as zero. */
export function cpuMicros(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + processMicros(pid), 0)
}

/** Busy time of all cores, in microseconds, including time stolen by the host. */
export function machineMicros(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] =
    readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.split(/\s+/).map(Number) ?? []
  return (user + nice + system + irq + softirq + steal) * MICROS_PER_TICK
}

function processMicros(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  // The second field is the name of the program in parentheses. It may contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * MICROS_PER_TICK
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
