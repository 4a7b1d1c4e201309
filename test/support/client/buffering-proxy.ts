// A proxy that passes an answer on when it is complete, so that no stream ever arrives.
import { request as httpRequest } from 'node:http'
import { type ScriptedServer, scriptedServer } from './scripted-server.ts'

/** @param target the URL of the server behind it */
export function bufferingProxy(target: string): Promise<ScriptedServer> {
  return scriptedServer((response, request) => {
    const { method, headers, url } = request
    const forwarded = httpRequest(`${target}${url}`, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('end', () => response.writeHead(answer.statusCode ?? 0, answer.headers).end(Buffer.concat(chunks)))
    })
    forwarded.on('error', () => response.destroy())
    response.on('close', () => forwarded.destroy())
    request.pipe(forwarded)
  })
}
