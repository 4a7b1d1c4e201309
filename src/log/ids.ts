// The ids that a log makes from an epoch and an offset.

/**
 * The id of an offset: short, free of bytes that force a preflight on a cross-origin reconnect [Fetch, CORS-safelisted request-header], and
 * never equal to an id that a publisher may give.
 */
export function formatId(epoch: string, offset: number): string {
  return `#${epoch}-${offset.toString(36)}`
}

const idForm = /^#([0-9a-z]{1,32})-(0|[1-9a-z][0-9a-z]{0,10})$/

/** Reads an id that `formatId` made; undefined for any other text. */
export function parseId(id: string): { epoch: string; offset: number } | undefined {
  const form = idForm.exec(id)
  if (!form) return undefined
  const offset = Number.parseInt(form[2] as string, 36)
  return Number.isSafeInteger(offset) ? { epoch: form[1] as string, offset } : undefined
}

/** A new epoch: 41 random bits. */
export function newEpoch(): string {
  const bits = crypto.getRandomValues(new Uint32Array(2))
  return (((bits[0] as number) % 0x200) * 2 ** 32 + (bits[1] as number)).toString(36)
}
