// What a client may ask to change about its stream, and the rules that such a request has to follow.
import { TidingsError } from '../../errors.ts'
import { compile, type Selector } from '../../topics/matcher.ts'
import type { TokenIdentity } from '../connection.ts'
import { validateRequest } from '../subscribe-request.ts'

/** What a stream may read besides public updates, and until when. */
export interface Rights {
  /** Topics whose private updates may be read. */
  readonly readable: readonly Selector[]
  /** When the stream ends with `expired`, in milliseconds since 1970; Infinity for never. */
  readonly until: number
}

/** The rights of a token. */
export interface GrantedRights extends Rights {
  /** Whose token it is. A stream that has a subject keeps it. */
  readonly subject?: string
  /** The identity of the token, by which it can be revoked. Default: its subject. */
  readonly token?: TokenIdentity
}

/** A change of a stream. Its members take effect together, at one position of the stream. */
export interface StreamChange {
  /** Selectors to add, at most 1,000. */
  readonly add?: readonly Selector[]
  /** Selectors to remove. One that the stream does not have is ignored. */
  readonly remove?: readonly Selector[]
  /** First send what the stream did not want so far and wants now, from after this id on. `earliest` is the oldest kept entry. */
  readonly from?: string
  /** The rights of a fresh token, in place of those of the token before. */
  readonly granted?: GrantedRights
  /** Rights that the application gives in addition. Its earliest `until` counts. */
  readonly allowed?: Rights
  /** Repeated in the confirmation, so that the client can tell which change it belongs to. */
  readonly request?: string
}

/**
 * Checks what does not depend on the stream.
 * @throws TidingsError `change_invalid`, or as `validateRequest` does
 */
export function validateChange({ add = [], remove = [], from, granted, allowed }: StreamChange): void {
  validateRequest({ topics: add })
  validateRequest({ topics: remove })
  for (const rights of [granted, allowed]) if (rights) validateRequest(rights)
  if (from !== undefined) validateFrom(from)
  const added = new Set(add.map(meaningOf))
  if (remove.some((selector) => added.has(meaningOf(selector)))) {
    throw new TidingsError('change_invalid', 'a selector is in both add and remove')
  }
  const isRefreshed = granted !== undefined || allowed !== undefined
  if (added.size === 0 && remove.length === 0 && !isRefreshed) {
    throw new TidingsError('change_invalid', 'it changes nothing; give add, remove or token')
  }
  if (from !== undefined && added.size === 0 && !isRefreshed) {
    throw new TidingsError('change_invalid', 'from says where added topics start, so it requires add or token')
  }
}

function validateFrom(from: string): void {
  validateRequest({ lastEventId: from })
  if (from === '') throw new TidingsError('last_event_id_invalid', 'from is empty; leave it out for new updates only')
}

/** Equal for selectors with the same meaning. */
export function meaningOf(selector: Selector): string {
  const { kind, key } = compile(selector)
  return `${kind} ${key}`
}

/** A change as a JSON value, which has no Infinity. */
export function encodeChange({ granted, allowed, ...rest }: StreamChange): object {
  return {
    ...rest,
    ...(granted && { granted: encodeRights(granted) }),
    ...(allowed && { allowed: encodeRights(allowed) })
  }
}

type EncodedChange = Omit<StreamChange, 'granted' | 'allowed'> & {
  readonly granted?: EncodedRights
  readonly allowed?: EncodedRights
}
type EncodedRights = Omit<GrantedRights, 'until'> & { readonly until: number | null }

/** Reads what `encodeChange` of another node has made. */
export function decodeChange({ granted, allowed, ...rest }: EncodedChange): StreamChange {
  return {
    ...rest,
    ...(granted && { granted: decodeRights(granted) }),
    ...(allowed && { allowed: decodeRights(allowed) })
  }
}

function encodeRights(rights: GrantedRights): EncodedRights {
  return { ...rights, until: Number.isFinite(rights.until) ? rights.until : null }
}

function decodeRights(rights: EncodedRights): GrantedRights {
  return { ...rights, until: rights.until ?? Number.POSITIVE_INFINITY }
}
