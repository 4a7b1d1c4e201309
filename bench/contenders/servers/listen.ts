// What the small servers share: they read a published body, listen, and print the address.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export function listen(handler: RequestListener): void {
  // All contenders have this backlog: a burst of connections is not measured.
  const server = createServer(handler).listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
}

/** Responds to a publish when its body is complete and `broadcast` has returned. */
export function takePublish(
  ...[request, response, broadcast]: [...Parameters<RequestListener>, (text: string) => void]
): void {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (part: string) => {
    text += part
  })
  request.on('end', () => {
    broadcast(text)
    response.writeHead(204).end()
  })
}

/** The topic in the query of a request; the empty one if there is none. */
export function topicOf({ url = '' }: IncomingMessage): string {
  return /[?&]topic=([^&]*)/.exec(url)?.[1] ?? ''
}
