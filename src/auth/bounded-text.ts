// Reads the text of a `fetch` response of limited size.

/**
 * @param what the subject of the error message, such as `the JWK Set`
 * @throws Error as soon as the limit is exceeded
 */
export async function readBoundedText({ body }: Response, maxBytes: number, what: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    // Leaving the loop cancels the stream.
    if (size > maxBytes) throw new Error(`${what} is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
