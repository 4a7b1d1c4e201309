// The names of the two dialects of the Mercure protocol.

/** Tokens of `1.0` have the claim `authorization_details`, tokens of `0.x` the claim `mercure`. */
export type Dialect = '1.0' | '0.x'

/** All dialects, newest first. */
export const dialects: readonly Dialect[] = ['1.0', '0.x']
