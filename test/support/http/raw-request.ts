// A client that sends raw bytes and reads only the response head, with strict parsing.
import { connect } from 'node:net'

export interface Head {
  readonly status: number
  /** In order of arrival. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** Time limit for a response head, in milliseconds. */
const timeoutMs = 10_000

/** Rejects on timeout, and on anything that is not a response head. */
export function send(port: number, bytes: Buffer): Promise<Head> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const fail = (what: string) => {
      reject(
        new Error(`${what}; it was asked ${JSON.stringify(bytes.toString('latin1'))}, and said ${JSON.stringify(text)}`)
      )
      socket.destroy()
    }
    const timer = setTimeout(() => fail(`no head within ${timeoutMs} ms`), timeoutMs)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return
      try {
        resolve(parse(text.slice(0, end)))
        socket.destroy()
      } catch (error) {
        fail((error as Error).message)
      }
    })
    // The server may respond and close before it has read the whole request.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      fail('closed without an answer')
    })
    socket.write(bytes)
  })
}

function parse(head: string): Head {
  const [first = '', ...lines] = head.split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(first)?.[1]
  if (status === undefined) throw new Error('no status line')
  const headers = lines.map((line) => {
    const [, name, value] = /^([A-Za-z-]+): ([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`a bad header line: ${JSON.stringify(line)}`)
    return [name.toLowerCase(), value] as const
  })
  return { status: Number(status), headers }
}
