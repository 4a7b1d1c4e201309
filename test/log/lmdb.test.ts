import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, onTestFinished } from 'vitest'
import { LmdbLog } from '../../dist/index.js'
import { testLogContract } from '../support/log-contract.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tidings-log-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

describe('LmdbLog keeps the contract of a log', () =>
  testLogContract(({ entries }) =>
    LmdbLog.open({ path: folder(), retention: entries === undefined ? [] : [{ match: '*', entries }] })
  ))
