// Reads request bodies of limited size, and decodes parameters and headers. Text that is not UTF-8 is refused.
import { isUtf8 } from 'node:buffer'
import { TidingsError } from '../errors.ts'
import type { HttpRequest } from './exchange.ts'

/** The parameters of a query or a form, in order. */
export type Parameters = readonly (readonly [name: string, value: string])[]

const maxParameters = 2_000
/** Milliseconds in which a body must arrive on HTTP/2. On HTTP/1.1, `requestTimeout` of node:http applies. */
const http2BodyTimeoutMs = 30_000
/** A client that sends more than this many times the limit is disconnected. */
const maxExcess = 64

/**
 * Reads a body.
 * @param maxBytes the size limit
 * @throws TidingsError `body_too_large`, as soon as that is known, `request_aborted` or `request_timeout`
 */
export function readBody(request: HttpRequest, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let isRejected = false
    // Creating an error captures a stack trace, which is slow. So only the first error is created.
    const fail = (code: 'body_too_large' | 'request_aborted', detail?: string) => {
      if (!isRejected) reject(new TidingsError(code, detail))
      isRejected = true
    }
    const tooLarge = () => fail('body_too_large', `the limit is ${maxBytes} bytes`)
    const onClose = () => fail('request_aborted')
    if (Number(request.headers['content-length']) > maxBytes) tooLarge()
    // In these two cases, neither `end` nor `close` follows.
    if (request.readableEnded) throw new TidingsError('internal', 'middleware has already read the request body')
    if (request.destroyed) return resolve(receivedBody(request, maxBytes))
    const chunks: Buffer[] = []
    let size = 0
    if (request.httpVersionMajor >= 2) limitTime(request, http2BodyTimeoutMs, reject)
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) chunks.push(chunk)
      // Many clients read the response only after they have sent the body. So the rest is read and discarded, up to a
      // limit.
      else if (size <= maxExcess * maxBytes) tooLarge()
      else request.socket.destroy()
    })
    request.on('end', () => {
      request.off('close', onClose)
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
    })
    request.on('close', onClose)
  })
}

/** The body of a client that has already disconnected. It is valid if it arrived completely. */
function receivedBody(request: HttpRequest, maxBytes: number): Buffer {
  const body = (request.read() as Buffer | null) ?? Buffer.alloc(0)
  if (!request.complete || body.length > maxBytes) throw new TidingsError('request_aborted')
  return body
}

function limitTime(request: HttpRequest, ms: number, reject: (reason: TidingsError) => void): void {
  const timer = setTimeout(() => reject(new TidingsError('request_timeout', `the limit is ${ms / 1_000} s`)), ms)
  request.once('end', () => clearTimeout(timer))
  request.once('close', () => clearTimeout(timer))
}

/** @throws TidingsError `encoding_invalid` */
export function decodeUtf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new TidingsError('encoding_invalid', 'encode the body as UTF-8')
  return bytes.toString()
}

/**
 * Parses `application/x-www-form-urlencoded` text [URL, 5.1]. Unlike the standard, it refuses text that is not UTF-8,
 * instead of replacing the bytes.
 * @throws TidingsError `encoding_invalid` or `parameters_too_many`
 */
export function parseParameters(text: string): Parameters {
  const pairs = text.split('&', maxParameters + 1).filter((pair) => pair !== '')
  if (pairs.length > maxParameters) throw new TidingsError('parameters_too_many', `the limit is ${maxParameters}`)
  return pairs.map((pair) => {
    const equals = pair.indexOf('=')
    return equals === -1
      ? [decodePart(pair), '']
      : [decodePart(pair.slice(0, equals)), decodePart(pair.slice(equals + 1))]
  })
}

function decodePart(text: string): string {
  if (!/[%+]/.test(text)) return text
  // [URL, 1.3] A percent sign that begins no triplet is literal.
  const escaped = text.replaceAll('+', ' ').replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
  try {
    return decodeURIComponent(escaped)
  } catch {
    throw new TidingsError('encoding_invalid', 'encode each parameter as percent-encoded UTF-8')
  }
}

/** Reads a switch: present without a value, or with `true`, `1`, `on`, `false`, `0` or `off`. Undefined for anything else. */
export function parseSwitch(value: string): boolean | undefined {
  if (['', 'on', 'true', '1'].includes(value)) return true
  return ['off', 'false', '0'].includes(value) ? false : undefined
}

/** Decodes a header as UTF-8, as browsers send it. Node decodes headers as Latin-1. */
export function decodeHeader(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : value
}

/** The media type of a `Content-Type` header, without parameters; empty if there is none. */
export function mediaType(header = ''): string {
  return (header.split(';')[0] as string).trim().toLowerCase()
}
