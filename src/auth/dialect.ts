// Names the two dialects of the Mercure protocol. It knows nothing of what is different between them.

/** `1.0`: access tokens with `authorization_details`. `0.x`: tokens with the claim `mercure`. */
export type Dialect = '1.0' | '0.x'

/** All of them, the newer first. */
export const dialects: readonly Dialect[] = ['1.0', '0.x']
