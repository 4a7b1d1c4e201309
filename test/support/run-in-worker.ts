// Runs something that may never end where it can be ended: a loop that does not yield would freeze the tests with it.
import { Worker } from 'node:worker_threads'

/**
 * What `code` leaves in `answer`, given what it finds in `input`. It is the body of an async function.
 * @throws when that takes longer than the deadline, and ends it
 */
export async function runInWorker<Answer>(code: string, input: unknown, deadline: number): Promise<Answer> {
  const source = `
    const { parentPort, workerData: input } = require('node:worker_threads')
    ;(async () => { let answer; ${code}; parentPort.postMessage(answer) })()`
  const worker = new Worker(source, { eval: true, workerData: input })
  const timer = setTimeout(() => void worker.terminate(), deadline)
  try {
    return await new Promise<Answer>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error(`no answer within ${deadline} ms`)))
    })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
