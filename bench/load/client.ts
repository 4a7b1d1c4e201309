// Starts a load process, sends it one request at a time, and stops it.
import { fileURLToPath } from 'node:url'
import { type Started, start, stop } from '../support/process.ts'
import type { Answer, Ask, Measurement, Target, Window } from './protocol.ts'

const program = fileURLToPath(new URL('../load.js', import.meta.url))

export class Load {
  readonly #process: Started

  constructor(target: Target) {
    this.#process = start(process.execPath, [program, JSON.stringify(target)], { ipc: true })
  }

  async subscribe(count: number): Promise<void> {
    await this.#ask({ verb: 'subscribe', count })
  }

  async leave(): Promise<void> {
    await this.#ask({ verb: 'leave' })
  }

  async measure(window: Window): Promise<Measurement> {
    const { measurement } = await this.#ask({ verb: 'measure', window })
    if (!measurement) throw new Error('the load process answered without a measurement')
    return measurement
  }

  async stop(): Promise<void> {
    await stop(this.#process)
  }

  #ask(ask: Ask): Promise<{ measurement?: Measurement }> {
    const { child, complaint } = this.#process
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error(`the load process ended: ${complaint()}`))
      child.once('exit', gone)
      child.once('message', (answer: Answer) => {
        child.off('exit', gone)
        if ('problem' in answer) reject(new Error(answer.problem))
        else resolve(answer)
      })
      child.send(ask)
    })
  }
}
