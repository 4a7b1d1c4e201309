// Reads the body of a request that changes a stream. `validateChange` checks the selectors and how the members fit together.
import { TidingsError } from '../../errors.ts'
import { type JsonObject, parseObject } from '../../json.ts'

/** The members of the body. */
export interface ChangeBody {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly from?: string
  readonly token?: string
}

const members = ['add', 'remove', 'from', 'token'] as const

/** @throws TidingsError `change_invalid`, which quotes nothing: the body may contain a token */
export function readChange(text: string): ChangeBody {
  const body = parse(text)
  if (Object.keys(body).some((name) => !(members as readonly string[]).includes(name))) {
    throw new TidingsError('change_invalid', `it has an unknown member; the members are ${members.join(', ')}`)
  }
  const { add, remove, from, token } = body
  return {
    ...(add !== undefined && { add: readList('add', add) }),
    ...(remove !== undefined && { remove: readList('remove', remove) }),
    ...(from !== undefined && { from: readText('from', from) }),
    ...(token !== undefined && { token: readText('token', token) })
  }
}

function parse(text: string): JsonObject {
  try {
    return parseObject(text, 'the body')
  } catch (error) {
    throw new TidingsError('change_invalid', (error as Error).message, { cause: error })
  }
}

function readList(name: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((selector) => typeof selector === 'string')) return value
  throw new TidingsError('change_invalid', `${name} must be a list of strings`)
}

function readText(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new TidingsError('change_invalid', `${name} must be a string`)
}
