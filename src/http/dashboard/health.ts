// The state and the last error of what the server depends on, from the errors and successes that are reported to it.
import type { HealthCheck } from '../../dashboard-api/server.ts'
import { reasonOf } from '../access/callback.ts'

type Name = HealthCheck['name']

interface Part {
  isFailing: boolean
  /** When it began to fail, or to work again. */
  since: number | null
  lastError: HealthCheck['lastError']
}

/** What reports only errors counts as working again so long after the last one, in milliseconds. */
const silenceMs = 60_000
const maxLength = 300

export class Health {
  readonly #parts = new Map<Name, Part>()
  readonly #startedAt = Date.now()

  failed(name: Name, error: unknown): void {
    const before = this.#of(name)
    const at = Date.now()
    const since = before.isFailing ? before.since : at
    this.#parts.set(name, { isFailing: true, since, lastError: { at, message: messageOf(error) } })
  }

  succeeded(name: Name): void {
    const part = this.#parts.get(name)
    if (part?.isFailing) this.#parts.set(name, { ...part, isFailing: false, since: Date.now() })
  }

  /**
   * The check of something that reports errors, and successes unless it says so.
   * @param detail undefined if the server does not use it
   */
  check(name: Name, detail: string | undefined, reportsSuccess = false): Check {
    if (detail === undefined) return { name, state: 'off', since: null, lastError: null, detail: 'not configured' }
    const { isFailing, since, lastError } = this.#of(name)
    const isOver = !reportsSuccess && Date.now() - (lastError?.at ?? 0) > silenceMs
    const state = isFailing && !isOver ? 'failing' : 'ok'
    return { name, state, since: isFailing && isOver ? null : since, lastError, detail: masked(detail) }
  }

  /** The check of something whose state is known at any time. */
  checkNow(name: Name, detail: string, isReady: boolean): Check {
    if (isReady) this.succeeded(name)
    else if (!this.#of(name).isFailing) this.#parts.set(name, { ...this.#of(name), isFailing: true, since: Date.now() })
    return this.check(name, detail, true)
  }

  #of(name: Name): Part {
    return this.#parts.get(name) ?? { isFailing: false, since: this.#startedAt, lastError: null }
  }
}

/** A check without the node that makes it. */
export type Check = Omit<HealthCheck, 'node' | 'nodeName'>

function messageOf(error: unknown): string {
  const text = masked(reasonOf(error))
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}

/** Hides the user and the password of URLs, and their query, which may hold a key. A raw @ can be part of a password. */
export function masked(text: string): string {
  return text.replace(/\b(\w{1,20}:\/\/)[^\s/]*@/g, '$1…@').replace(/\b(\w{1,20}:\/\/[^\s?#]*)\?[^\s]*/g, '$1?…')
}
