// The option `dashboard` of a handler, and what the server around it adds to the dashboard.
import type { OptionRow } from '../../dashboard-api/server.ts'
import { OptionError } from '../../errors.ts'
import type { RetentionRule } from '../../log/retention/rules.ts'
import type { Check, Health } from './health.ts'

export interface DashboardOptions {
  /**
   * Serve the dashboard for operators at `/dashboard`; default `off`. `read-only` disables its actions. It requires a token with the grant
   * `tidings:operate`, or no keys, `localOnly` and a client on this machine.
   */
  dashboard?: 'on' | 'read-only' | 'off'
}

/** What only the server knows that the handler is part of. */
export interface DashboardParts {
  /** The name of this node for people, and the number of the worker process. */
  readonly name: string
  readonly worker: number | null
  readonly health: Health
  /** The options of the server, and their values. */
  readonly options: () => readonly OptionRow[]
  /** The checks of what the handler does not know: the log and the webhooks. */
  readonly checks: () => readonly Check[]
  /** Bytes that the log takes on disk, if the server knows. */
  readonly logBytes?: () => number | null
  readonly retention: () => { readonly rules: readonly RetentionRule[]; readonly otherwise: string }
}

/** @throws OptionError */
export function readDashboardOption({ dashboard = 'off' }: DashboardOptions): Required<DashboardOptions>['dashboard'] {
  if (['on', 'read-only', 'off'].includes(dashboard)) return dashboard
  throw new OptionError('dashboard', `expected on, read-only or off, got ${JSON.stringify(dashboard)}`)
}
