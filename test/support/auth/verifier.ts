// Verifies tokens and reports the outcome as text.
import type { Dialect } from '../../../dist/auth/dialect.js'
import { type Role, TokenError, Verifier, type VerifierOptions } from '../../../dist/auth/verifier.js'
import { hub, secret } from './tokens.ts'

/** For publishers with `secret` by default. */
export const verifier = (options: Partial<VerifierOptions> = { publisher: { key: secret } }) =>
  new Verifier({ base: hub, ...options })

/** Returns `accepted`, or the error. */
export async function outcome(by: Verifier, token: string | Promise<string>, dialect: Dialect, role: Role = 'publish') {
  const error = await by.verify(await token, role, dialect).then(
    () => 'accepted',
    (error: unknown) => error
  )
  return error instanceof TokenError ? error.reason : error
}
