// Describes the machine of a run, and its limits.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  loadBefore: number
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    loadBefore: loadavg()[0] ?? Number.NaN
  }
}

/** The file descriptors that a child process can have: the hard limit, or more if we may raise it. */
export function descriptorLimit(): number {
  const raised = 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; ulimit -n'
  const answer = execFileSync('sh', ['-c', raised], { encoding: 'latin1' }).trim()
  return answer === 'unlimited' ? Number.POSITIVE_INFINITY : Number(answer)
}

/** Every subscriber needs its own source port on the one loopback address. */
export function sourcePorts(): number {
  const [from = 0, to = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
    .trim()
    .split(/\s+/)
    .map(Number)
  return to - from + 1
}
