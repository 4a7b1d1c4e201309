// A log whose roster can be read only later, as when Redis is slow at the start of a node.
import type { MemoryLog } from '../../../dist/index.js'

/** Until the returned function is called, reading the roster waits. */
export function holdRoster({ roster }: MemoryLog): () => void {
  const members = roster.members.bind(roster)
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  roster.members = async function* () {
    await released
    yield* members()
  }
  return release
}
