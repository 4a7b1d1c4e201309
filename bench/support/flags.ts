// Reads what the command lines of the benchmarks have in common: numbers, and lists of names.

/** The requested items of a list, in the requested order; default all. */
export function named<Thing extends { name: string }>(list: string | undefined, all: readonly Thing[]): Thing[] {
  if (list === undefined) return [...all]
  return list.split(',').map((name) => {
    const found = all.find((thing) => thing.name === name)
    if (!found) throw new Error(`there is no "${name}"; there are ${all.map((thing) => thing.name).join(', ')}`)
    return found
  })
}

/** The number with its key; an empty object without the flag. */
export function number<Key extends string>(
  key: Key,
  flag: string,
  text: string | undefined,
  least = 1
): { [name in Key]?: number } {
  if (text === undefined) return {}
  const value = Number(text)
  if (!(value >= least)) throw new Error(`${flag} must be a number of at least ${least}, not "${text}"`)
  return { [key]: value } as { [name in Key]?: number }
}
