// The JSON of the dashboard's configuration and health: what the server sends, and what the page reads.
// Types only, so that both ends may import them. Times are milliseconds since 1970, durations milliseconds, and sizes bytes.

export interface OptionRow {
  /** The name in a configuration file. */
  readonly name: string
  readonly section: string
  readonly flag: string
  readonly variable: string
  /** The effective value, as it could be written. A secret is `(set)` or `(not set)`; passwords in URLs are hidden. */
  readonly value: string
  readonly default: string
  readonly origin: 'default' | 'flag' | 'variable' | 'file'
  /** The flag, the variable, or the file and its key; null for a default. */
  readonly source: string | null
  readonly isDefault: boolean
  /** Whether SIGHUP applies a new value. The others need a restart. */
  readonly reload: boolean
  readonly help: string
}

/** `GET /dashboard/api/config` */
export interface ConfigList {
  /** Empty when the hub is part of another application, which has options of its own. */
  readonly options: readonly OptionRow[]
  /** Whether the actions of the dashboard are disabled. */
  readonly readOnly: boolean
}

export interface HealthCheck {
  readonly name: 'log' | 'redis' | 'webhooks' | 'jwks' | 'authorize'
  /** The node that checked, and its name. */
  readonly node: string
  readonly nodeName: string
  /** `off`: the server is not configured to use it. */
  readonly state: 'ok' | 'failing' | 'off'
  /** Since when it has been in this state, if that is known. */
  readonly since: number | null
  readonly lastError: { readonly at: number; readonly message: string } | null
  /** What it is, such as the address without secrets. */
  readonly detail: string
}

/** `GET /dashboard/api/health` */
export interface HealthList {
  readonly at: number
  readonly checks: readonly HealthCheck[]
  readonly missing: readonly string[]
}
