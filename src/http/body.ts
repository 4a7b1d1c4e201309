// Reads what a request carries, within bounds, and refuses what is not UTF-8. It knows nothing of updates.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { TidingsError } from '../errors.ts'

/** The parameters of one request, in order. */
export type Parameters = readonly (readonly [name: string, value: string])[]

const maxParameters = 2_000
/** How long a body of HTTP/2 may take, in milliseconds. */
const bodyMs = 30_000
/** How many times the bound a client may send before it is cut off rather than answered. */
const timeoutMs = 64

/**
 * Reads a body of at most so many bytes.
 * @throws TidingsError `body_too_large`, as soon as that is known, or `request_aborted`.
 */
export function readBody(request: IncomingMessage, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let isRefused = false
    // An error takes its stack when it is made, so one is made only where somebody will see it.
    const fail = (code: 'body_too_large' | 'request_aborted', particulars?: string) => {
      if (!isRefused) reject(new TidingsError(code, particulars))
      isRefused = true
    }
    const tooLarge = () => fail('body_too_large', `${bytes} bytes are allowed`)
    const onClose = () => fail('request_aborted')
    if (Number(request.headers['content-length']) > bytes) tooLarge()
    // In these cases neither an end nor a close is still to come.
    if (request.readableEnded) throw new TidingsError('internal', 'a body parser in front has read the body')
    if (request.destroyed) return resolve(sentBy(request, bytes))
    const chunks: Buffer[] = []
    let size = 0
    // Of HTTP/1.1, node:http sees to it that a request comes to an end.
    if (request.httpVersionMajor >= 2) endsWithin(request, bodyMs, reject)
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= bytes) chunks.push(chunk)
      // A client that is still sending reads the answer only afterwards, so the rest is thrown away, within reason.
      else if (size <= timeoutMs * bytes) tooLarge()
      else request.socket.destroy()
    })
    request.on('end', () => {
      request.off('close', onClose)
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
    })
    request.on('close', onClose)
  })
}

/** What a client sent that has hung up meanwhile: all of it counts, and a part of it does not. */
function sentBy(request: IncomingMessage, bytes: number): Buffer {
  const body = (request.read() as Buffer | null) ?? Buffer.alloc(0)
  if (!request.complete || body.length > bytes) throw new TidingsError('request_aborted')
  return body
}

function endsWithin(request: IncomingMessage, ms: number, reject: (reason: TidingsError) => void): void {
  const timer = setTimeout(() => reject(new TidingsError('request_timeout', `${ms / 1_000} s are allowed`)), ms)
  request.once('end', () => clearTimeout(timer))
  request.once('close', () => clearTimeout(timer))
}

/** @throws TidingsError `encoding_invalid` */
export function decodeUtf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new TidingsError('encoding_invalid', 'the body holds other bytes')
  return bytes.toString()
}

/**
 * Takes `application/x-www-form-urlencoded` text apart [URL, 5.1], but refuses what is not UTF-8 rather than replace it.
 * @throws TidingsError `encoding_invalid` or `parameters_too_many`
 */
export function parseParameters(text: string): Parameters {
  const pairs = text.split('&', maxParameters + 1).filter((pair) => pair !== '')
  if (pairs.length > maxParameters) throw new TidingsError('parameters_too_many', `${maxParameters} are allowed`)
  return pairs.map((pair) => {
    const equals = pair.indexOf('=')
    return equals === -1
      ? [decodePart(pair), '']
      : [decodePart(pair.slice(0, equals)), decodePart(pair.slice(equals + 1))]
  })
}

function decodePart(text: string): string {
  // A percent sign that begins no triplet stands for itself, as in the URL standard.
  const escaped = text.replaceAll('+', ' ').replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
  try {
    return decodeURIComponent(escaped)
  } catch {
    throw new TidingsError('encoding_invalid', 'a percent-encoded parameter holds other bytes')
  }
}

/** A header as the UTF-8 that browsers send; Node hands headers over as Latin-1. */
export function decodeHeader(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : value
}

/** The type of a body, without its parameters; empty where it is not said. */
export function mediaType(header = ''): string {
  return (header.split(';')[0] as string).trim().toLowerCase()
}
