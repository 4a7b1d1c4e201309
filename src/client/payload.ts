// Turns the text of an update into its payload: JSON, text, a function, or a Standard Schema validator.

/** The part of a Standard Schema validator that is used here, such as one of Zod, Valibot or ArkType. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>
  }
}

type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] }

/**
 * How the data of an update is read. `json`, the default: as JSON, and text that is no JSON stays text. `text`: unchanged. A function gets
 * the text. A schema gets what `json` returns.
 */
export type Parse<T> = 'json' | 'text' | ((text: string) => T | Promise<T>) | StandardSchema<T>

/** @throws Error that says why the data is invalid */
export function payloadOf<T>(text: string, parse: Parse<T>): T | Promise<T> {
  if (parse === 'text') return text as T
  if (typeof parse === 'function') {
    if (!('~standard' in parse)) return parse(text)
  } else if (parse === 'json') return json(text) as T
  const result = (parse as StandardSchema<T>)['~standard'].validate(json(text))
  return result instanceof Promise ? result.then(validValue) : validValue(result)
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function validValue<T>(result: SchemaResult<T>): T {
  if (result.issues) throw new TypeError(result.issues.map(({ message }) => message).join('; '))
  return result.value
}
