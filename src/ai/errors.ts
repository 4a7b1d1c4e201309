// The error of a run, with a stable code.

export type RunErrorCode =
  /** `write`: the run has updates already. */
  | 'exists'
  /** `write`: another writer continues the run, or has ended it. */
  | 'taken_over'
  /** `read`: its writer was gone for longer than the lease. */
  | 'interrupted'
  /** `read`: it ended with an error. */
  | 'failed'
  /** `read`: the hub no longer has all chunks. */
  | 'incomplete'
  /** `read`: it was deleted. */
  | 'deleted'
  /** `delete`: the hub was started without `--allow-delete`. */
  | 'deletion_disabled'
  /** The reason of the signal of a run that was stopped. `begin`: it was stopped before. */
  | 'stopped'
  /** The hub does not recognize repeated updates, so nothing keeps two writers apart. */
  | 'not_idempotent'

export class RunError extends Error {
  override readonly name = 'RunError'
  readonly code: RunErrorCode

  constructor(code: RunErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Whether the reason of a signal is a request to stop the run. */
export function isStop(reason: unknown): boolean {
  return reason instanceof RunError && reason.code === 'stopped'
}
