// A filter that admits nothing and takes long to say so, as many large templates do.
import type { Filter } from '../../dist/index.js'

/** What one decision takes, in milliseconds. */
const cost = 0.1

export const slowFilter: Filter = {
  admits() {
    const end = performance.now() + cost
    while (performance.now() < end);
    return false
  }
}
