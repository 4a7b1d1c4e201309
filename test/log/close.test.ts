// Closing a log settles every pending request.
import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../../dist/index.js'
import { everything, many, openLog, update } from '../support/log/log-folder.ts'

const page = { entries: 1, bytes: 1 }
const member = { topic: 't', node: 'n', record: '', end: update('') }

/** Reasons of rejections other than `closed`. */
function reasonsOf(answers: readonly PromiseSettledResult<unknown>[]): unknown[] {
  const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  return reasons.filter((reason) => reason.code !== 'closed')
}

describe.each([
  ['LmdbLog', () => openLog()],
  ['MemoryLog', async () => new MemoryLog()]
])('%s', (_, open) => {
  it('completes each pending request, or rejects it as closed', async () => {
    const log = await open()
    await log.append(many(5_000))
    const pending = Promise.allSettled([
      log.append([update('x')]),
      log.roster.announce([{ update: update('y'), member }]),
      log.read(0, everything, page),
      log.newest({ admits: () => false }, 1),
      log.locate('x'),
      log.roster.renew('n', 1_000),
      log.follow(() => {}),
      log.roster.members()[Symbol.asyncIterator]().next()
    ])
    await log.close()
    expect(reasonsOf(await pending)).toEqual([])
  })

  it.each(['idle', 'with appends in progress'])(
    'settles a retention change that is requested just before close (%s)',
    async (when) => {
      const log = await open()
      const appended = when === 'idle' ? [] : log.append(many(3))
      // One commit may be in progress at this point, and the change waits for it.
      await new Promise(setImmediate)
      const changes = Promise.allSettled([1, 2].map((entries) => log.retain([{ match: '*', entries }])))
      await log.close()
      await appended
      expect(reasonsOf(await changes)).toEqual([])
    }
  )
})
