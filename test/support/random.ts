// Numbers that look random and can be had again: all of a run follows from its seed.

export interface Random {
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  chance(probability: number): boolean
}

/** Mulberry32: 32 bits of state are plenty for choosing when to pull a plug. */
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

/** The seed of this run: `TIDINGS_SEED`, or else another each time. */
export const seed = Number(process.env.TIDINGS_SEED ?? Date.now() % 2 ** 31)
/** Whether there is time for the long runs: `npm run test:soak`. */
export const isSoak = process.env.TIDINGS_SOAK === '1'
