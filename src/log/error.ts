// What keeps a log from being opened or from going on, said so that a person knows what to do. It knows no publisher and no
// subscriber: those are told with a `TidingsError`.

/** Something is wrong with where a log is kept; `message` says what, where, and what to do. */
export class LogError extends Error {
  override readonly name = 'LogError'
}
