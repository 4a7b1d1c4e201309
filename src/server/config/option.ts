// What one option of the server is: name, kind, default, and what it is for. It lists none.
import type { Config } from './shape.ts'
import type { Kind, Value } from './value.ts'

/** The sections of the table, in the order in which people meet them. */
export const sections = [
  'Listening',
  'History',
  'Who may do what',
  'Mercure',
  'Streams',
  'Limits',
  'Operation'
] as const

export interface Option {
  readonly section: (typeof sections)[number]
  /** The key; `--some-name` and `TIDINGS_SOME_NAME` follow from `someName`. */
  readonly name: keyof Config
  readonly kind: Kind
  readonly default: Value
  readonly help: string
  /** Whether a reload (SIGHUP) takes it over; the others need a restart. */
  readonly reload?: boolean
}
