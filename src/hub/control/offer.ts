// Control ids: the secrets with which clients change their streams. The hub remembers a hash of each, which reveals no secret and makes
// the time of a lookup say nothing about it.
import { randomBytes } from 'node:crypto'
import { sha256 } from '../../digest.ts'

/** The right to change one stream. Made by `Hub.offerControl`, for `Hub.join`. */
export interface ControlOffer {
  /** A secret that allows changing the stream: 192 random bits after the id of the node. Send it to the client, and log it nowhere. */
  readonly id: string
  /** @internal */
  readonly key: string
}

/** The stream that a control id names. */
export interface ControlAddress {
  /** The node that has the stream. */
  readonly node: string
  /** The hash of the secret. */
  readonly key: string
}

const secretBytes = 24
const form = /^([\w-]{1,32})\.([\w-]{32})$/

export function makeNodeId(): string {
  return randomBytes(9).toString('base64url')
}

export function makeOffer(node: string): ControlOffer {
  const secret = randomBytes(secretBytes).toString('base64url')
  return { id: `${node}.${secret}`, key: hash(secret) }
}

/** Undefined for text that cannot be a control id. */
export function parseControlId(id: string): ControlAddress | undefined {
  const [, node, secret] = form.exec(id) ?? []
  return node !== undefined && secret !== undefined ? { node, key: hash(secret) } : undefined
}

function hash(secret: string): string {
  return sha256(secret, 'base64url')
}
