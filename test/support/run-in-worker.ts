// Runs code that may never terminate in a worker thread, since an endless loop would block the test process.
import { Worker } from 'node:worker_threads'

/**
 * Returns the value that `code` assigns to `answer`; `code` is the body of an async function and reads `input`.
 * @throws Error when it takes longer than the deadline; the worker is then terminated
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
