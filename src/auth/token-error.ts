// The one refusal for whatever is wrong with a token. It knows no HTTP status and no token.

/**
 * A token that is not accepted. Who presented it learns nothing more than that [RFC 6750, 3.1]: which check failed would help
 * whoever makes tokens up. `reason` is for debug logs; it holds nothing of the token and nothing of a key.
 */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly code = 'invalid_token'
  readonly reason: string

  constructor(reason: string) {
    super('The token is not accepted')
    this.reason = reason
  }
}
