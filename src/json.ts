// Reads JSON objects from untrusted text.

/** A JSON object whose members are not checked. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value is an object and neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Parses text that must be a JSON object.
 * @param what the subject of the error message, such as `the answer`
 * @throws Error `<what> is not JSON` or `<what> is not a JSON object`. The message does not quote the text, as that of
 * `JSON.parse` does, since the text may contain secrets.
 */
export function parseObject(text: string, what: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error(`${what} is not JSON`)
  }
  if (isObject(value)) return value
  throw new Error(`${what} is not a JSON object`)
}
