// The environment variable by which a process knows that it is a worker of this program. `cluster.isWorker` is not enough: process managers
// use node:cluster too.

export const primaryVariable = 'TIDINGS_PRIMARY'

/** Whether the parent process is a primary process of `tidings serve --workers`. */
export function isWorker(): boolean {
  return process.env[primaryVariable] === String(process.ppid)
}
