// Asks the application that serves the hub: a function of the same process decides. Without a decision, nothing is allowed.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { TidingsError } from '../../errors.ts'
import type { Selector } from '../../topics/matcher.ts'
import {
  type AskingRequest,
  type Authorizer,
  checkedRights,
  type Decision,
  type Question,
  refused
} from './decision.ts'

/**
 * Decides about a stream, a page of history, a publish or a deletion. An answer that is not listed in
 * `AuthorizeAnswer`, an error and a decision that comes after `authorizeTimeout` refuse the request with 503
 * `authorize_failed`, and are reported to `Observer.failed`, at most every ten seconds.
 */
export type AuthorizeFunction<Original = IncomingMessage> = (
  request: AuthorizeRequest<Original>
) => AuthorizeAnswer | Promise<AuthorizeAnswer>

/** `true` allows. `false` refuses with 403 `not_granted`. Rights allow and add the right to read private updates. */
export type AuthorizeAnswer = boolean | AuthorizedRights

export interface AuthorizedRights {
  /**
   * Topics and templates whose private updates the stream may also read, at most 1,000; default none. Streams with
   * equal lists share one audience.
   */
  readonly readable?: readonly string[]
  /** When the stream ends, in milliseconds since 1970, such as the end of the session; default never. */
  readonly until?: number
}

export interface AuthorizeRequest<Original = IncomingMessage> {
  /** `subscribe` for a stream, for topics that are added to it, and for a page of history. */
  readonly action: 'subscribe' | 'publish' | 'delete'
  /**
   * For a stream, its selectors, which are `*` if the client names none. For a publish, the topics of its updates. Empty
   * for the deletion of one update.
   */
  readonly topics: readonly Selector[]
  /** For a publish: whether any of its updates is private. */
  readonly private?: boolean
  /** For the deletion of one update: its id. */
  readonly id?: string
  readonly method: string
  /** The path of the request with the mount, without the query. */
  readonly path: string
  /** As in `node:http`: the names are in lower case. */
  readonly headers: IncomingHttpHeaders
  /** The client's address, without a port; `local` for a Unix socket. */
  readonly address: string
  /** The `sub` of the client's token, if the hub has keys and the token has one. */
  readonly subject?: string
  /**
   * The request of `node:http`, with what the app's middleware added to it, such as a session. For a fetch handler, the `Request` that it
   * was called with.
   */
  readonly request: Original
  /** Aborted when the time limit is over. */
  readonly signal: AbortSignal
}

export class FunctionAuthorizer implements Authorizer {
  readonly #authorize: AuthorizeFunction
  readonly #timeout: number
  readonly #report: (error: unknown) => void

  /** @param timeout milliseconds that a decision may take */
  constructor(authorize: AuthorizeFunction, timeout: number, report: (error: unknown) => void) {
    this.#authorize = authorize
    this.#timeout = timeout
    this.#report = report
  }

  async decide(question: Question, { request, path }: AskingRequest): Promise<Decision> {
    const control = new AbortController()
    const { method = '', headers, original = request } = request
    const asked = { ...question, method, path, headers, request: original as IncomingMessage, signal: control.signal }
    try {
      return readAnswer(await this.#inTime(async () => this.#authorize(asked), control))
    } catch (error) {
      this.#report(reportOf(error))
      throw new TidingsError('authorize_failed', undefined, { cause: error })
    }
  }

  #inTime<Value>(call: () => Promise<Value>, control: AbortController): Promise<Value> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new Error(`no decision within ${this.#timeout} ms`)
        reject(error)
        control.abort(error)
      }, this.#timeout)
      call()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }
}

/** @throws Error for a value that is no answer: the function may be plain JavaScript */
function readAnswer(answer: unknown): Decision {
  if (answer === false) return refused
  if (answer === true) return { isAllowed: true, ...checkedRights([], undefined) }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    const kind = answer === null ? 'null' : Array.isArray(answer) ? 'a list' : typeof answer
    throw new Error(`it returned ${kind}; return true, false or { readable, until }`)
  }
  const { readable = [], until, ...others } = answer as { readable?: unknown; until?: unknown }
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Error(`it returned the unknown member ${unknown}; use readable and until`)
  return { isAllowed: true, ...checkedRights(readable, until) }
}

function reportOf(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error)
  return new Error(`authorize: ${reason}`, { cause: error })
}
