// An in-memory connection: it accepts as much as the test defines, and records everything.
import { createParser } from 'eventsource-parser'
import type { CloseReason, Connection } from '../../../dist/index.js'

export class FakeConnection implements Connection {
  readonly address = 'fake'
  readonly writes: Buffer[] = []
  ended: CloseReason | undefined
  /** Whether the next writes fill the buffer. */
  full = false
  #drained = () => {}

  get buffered(): number {
    return this.full ? (this.writes.at(-1)?.length ?? 0) : 0
  }

  /** The data of every event so far. */
  get data(): string[] {
    const data: string[] = []
    createParser({ onEvent: (event) => data.push(event.data) }).feed(Buffer.concat(this.writes).toString())
    return data
  }

  write(bytes: Buffer): boolean {
    this.writes.push(bytes)
    return !this.full
  }

  onDrain(drained: () => void): void {
    this.#drained = drained
  }

  drain(): void {
    this.full = false
    this.#drained()
  }

  end(reason: CloseReason): void {
    this.ended ??= reason
  }
}
