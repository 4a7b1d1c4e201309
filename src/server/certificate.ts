// Reads the TLS certificate of a server and its key.
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { OptionError } from '../errors.ts'
import type { Config } from './config/options.ts'

/** Certificate chain and private key as PEM. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * Undefined without TLS.
 * @throws OptionError if a file cannot be read, or the two do not fit together
 */
export function readCertificate({ tlsCert, tlsKey }: Config): Certificate | undefined {
  if (tlsCert === '') return undefined
  const certificate = { cert: readPem('tlsCert', tlsCert), key: readPem('tlsKey', tlsKey) }
  try {
    createSecureContext(certificate)
  } catch (error) {
    const reason = (error as Error).message
    throw new OptionError('tlsCert', (nameOf) => `cannot be used with ${nameOf('tlsKey')}: ${reason}`)
  }
  return certificate
}

function readPem(option: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new OptionError(option, `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}
