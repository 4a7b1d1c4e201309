// Prints the command, the machine and the versions of a run.
import { machine } from './machine.ts'

export interface About {
  readonly command: string
  readonly machine: ReturnType<typeof machine>
}

export function about(command: string): About {
  return { command, machine: machine() }
}

export function printAbout({ command, machine: { cpu, cores, memoryGiB, kernel, node, loadBefore } }: About): void {
  console.log(`\`${command}\`\n`)
  console.log(
    `- machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}; load before the run ${loadBefore.toFixed(2)}`
  )
  console.log(`- node ${node}`)
}
