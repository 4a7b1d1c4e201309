// Errors of the storage of a log, for operators. Publishers and subscribers get a `TidingsError` instead.

/** The storage of a log cannot be used. `message` says what happened, where, and what to do. */
export class LogError extends Error {
  override readonly name = 'LogError'
}
