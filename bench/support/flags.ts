// Reads what benchmarks' command lines have in common: numbers, and lists of names; it knows no option by name.

/** What was asked for of a list, in that order, or all of it. */
export function named<Thing extends { name: string }>(list: string | undefined, all: readonly Thing[]): Thing[] {
  if (list === undefined) return [...all]
  return list.split(',').map((name) => {
    const found = all.find((thing) => thing.name === name)
    if (!found) throw new Error(`there is no "${name}"; there are ${all.map((thing) => thing.name).join(', ')}`)
    return found
  })
}

/** The number under its key, or nothing where the flag was not given. */
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
