// Reproducible random numbers: a run is determined by its seed.

export interface Random {
  /** An integer from `low` to `high`, both inclusive. */
  between(low: number, high: number): number
  chance(probability: number): boolean
}

/** Mulberry32. Its 32 bits of state are enough for test decisions. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability
  }
}

/** The seed of this run: `TEST_SEED`, or a new one each time. */
export const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31)
/** Whether long runs are enabled: `npm run test:soak`. */
export const isSoak = process.env.TEST_SOAK === '1'
