// The log in Redis, on a Redis of the test's own: the contract, many nodes, and what goes wrong.
import { afterAll, beforeAll, describe } from 'vitest'
import { RedisLog } from '../../dist/index.js'
import { testLogContract } from '../support/log-contract.ts'
import { newPrefix, type RedisServer, startRedis } from '../support/redis.ts'
import { describeWith, redis } from '../support/requirements.ts'

describeWith(await redis(), 'RedisLog', (program) => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis(program)
  })
  afterAll(() => server.stop())

  describe('keeps the contract of a log', () =>
    testLogContract(({ entries }) =>
      RedisLog.open({
        url: server.url,
        prefix: newPrefix(),
        retention: entries === undefined ? [] : [{ match: '*', entries }]
      })
    ))
})
