// Reading a request body: the state it leaves on a successful request.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { readBody } from '../../dist/http/body.js'
import { post } from '../support/http/http.ts'

it('leaves no listener that would raise an error when the request closes', async () => {
  const counts: number[] = []
  const count = (request: IncomingMessage) => counts.push(request.listenerCount('close'))
  const server = createServer((request, response) => {
    count(request)
    void readBody(request, 100).then((body) => {
      count(request)
      response.end(body)
    })
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  expect((await post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 'hello')).text).toBe('hello')
  expect(counts[1]).toBe(counts[0])
})
