// Finds the known name that a misspelled one most likely means.

/** What to do about an unknown name, as the end of a sentence about it. */
export function suggestion(name: string, known: readonly string[]): string {
  const meant = alike(name, known)
  return meant === undefined ? '; "tidings serve --help" lists them' : `; did you mean "${meant}"?`
}

/** The known name with the same letters, or else the one that is at most two letters away, as most typos are. */
function alike(name: string, known: readonly string[]): string | undefined {
  return known.find((one) => letters(one) === letters(name)) ?? nearest(name, known)
}

function letters(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase()
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known.map((one) => ({ one, edits: distance(name, one) })).sort((a, b) => a.edits - b.edits)
  return best && best.edits <= 2 ? best.one : undefined
}

/** The number of letters to change, add or remove (Levenshtein distance). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line++) {
    const next = [line]
    for (let column = 1; column <= to.length; column++) {
      const change = (row[column - 1] as number) + (from[line - 1] === to[column - 1] ? 0 : 1)
      next.push(Math.min(change, (row[column] as number) + 1, (next[column - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
