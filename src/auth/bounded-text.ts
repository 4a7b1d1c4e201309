// Reads an answer that we asked for, up to a bound. It does not know what it says.

/** @throws Error that names what was too large, as soon as that is known */
export async function readBoundedText({ body }: Response, most: number, what: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    // Leaving the loop cancels the rest.
    if (size > most) throw new Error(`${what} is larger than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
