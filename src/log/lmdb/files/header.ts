// The header of the data: its format and its epoch.
import type { Database } from 'lmdb'
import { LogError } from '../../error.ts'
import { newEpoch } from '../../ids.ts'
import { crc32 } from './crc32.ts'
import { damaged } from './damaged.ts'

/** 2: values have checksums, and the state has its rules. Data of format 1 is read, and becomes 2 with the first commit. */
const format = 2

interface Header {
  readonly format: number
  readonly epoch: string
  /** Whether the log began in format 1, so that there may be values without a checksum. */
  readonly areOldAllowed?: boolean
  readonly sum?: number
}

export class LmdbHeader {
  readonly epoch: string
  readonly areOldAllowed: boolean
  /** Whether the next commit has to write it. */
  isOlder: boolean
  readonly #meta: Database<unknown, string>

  /**
   * Reads the header, or begins a log.
   * @throws LogError when it is damaged, or of a newer format
   */
  constructor(meta: Database<unknown, string>, path: string, file: string) {
    this.#meta = meta
    const header = (meta.get('log') as Header | undefined) ?? this.#begin()
    if (typeof header.format !== 'number' || typeof header.epoch !== 'string')
      throw damaged(file, 'what says of which format it is cannot be read')
    if (header.format > format)
      throw new LogError(
        `${path} holds a log of format ${header.format}, and this version of tidings reads formats up to ${format}; use the version that wrote it, or a newer one`
      )
    this.isOlder = header.format < format
    if (!this.isOlder && header.sum !== sumOf(header)) throw damaged(file, 'its epoch is not what was written there')
    this.epoch = header.epoch
    this.areOldAllowed = this.isOlder || header.areOldAllowed === true
  }

  /** Writes the header in the current format, within a commit. */
  upgrade(): void {
    const header = { format, epoch: this.epoch, areOldAllowed: true }
    void this.#meta.put('log', { ...header, sum: sumOf(header) })
    for (const key of ['state', 'rules']) void this.#meta.remove(key)
  }

  /** Gives a copy of a log another epoch, before it is opened. */
  renewEpoch(): void {
    const header = { ...(this.#meta.get('log') as Header), epoch: newEpoch() }
    this.#meta.putSync('log', header.sum === undefined ? header : { ...header, sum: sumOf(header) })
  }

  #begin(): Header {
    const header = { format, epoch: newEpoch() }
    const whole = { ...header, sum: sumOf(header) }
    this.#meta.putSync('log', whole)
    return whole
  }
}

function sumOf({ format, epoch, areOldAllowed = false }: Header): number {
  return crc32(`${format} ${epoch} ${areOldAllowed}`, 0)
}
