// A filter that admits nothing and is slow, like a large set of templates.
import type { Filter } from '../../../dist/index.js'

/** Duration of one decision, in milliseconds. */
const cost = 0.1

export const slowFilter: Filter = {
  admits() {
    const end = performance.now() + cost
    while (performance.now() < end);
    return false
  }
}
