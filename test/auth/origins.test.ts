import { describe, expect, it } from 'vitest'
import { readOrigins } from '../../dist/auth/origins.js'

const allows = (entry: string, origin: string) => readOrigins([entry]).allows(origin)
const names = (entry: string, origin: string) => readOrigins([entry]).names(origin)

describe('an origin list entry', () => {
  it.each([
    ['https://example.com', 'https://example.com'],
    ['https://example.com', 'https://example.com:443'],
    ['https://example.com:443', 'https://example.com'],
    ['http://example.com:80', 'http://example.com'],
    ['HTTPS://Example.COM', 'https://example.com'],
    ['https://example.com', 'HTTPS://EXAMPLE.COM'],
    ['https://example.com:8443', 'https://example.com:8443'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
    ['http://[0:0:0:0:0:0:0:1]', 'http://[::1]'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['chrome-extension://abcdefghijklmnopabcdefghijklmnop', 'chrome-extension://abcdefghijklmnopabcdefghijklmnop'],
    ['https://xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
    ['https://*.example.com', 'https://www.example.com'],
    ['https://*.example.com', 'https://a.b.example.com'],
    ['https://*.Example.com:443', 'https://www.example.com'],
    ['https://*.example.com:8443', 'https://www.example.com:8443'],
    ['capacitor://*.example.com', 'capacitor://a.example.com']
  ])('%s allows and lists the origin %s', (entry, origin) => {
    expect([allows(entry, origin), names(entry, origin)]).toEqual([true, true])
  })
})

describe('an origin list entry does not allow other origins', () => {
  it.each([
    ['https://example.com', 'http://example.com'],
    ['https://example.com', 'https://example.com:8443'],
    ['https://example.com', 'https://www.example.com'],
    ['https://example.com', 'https://example.com.evil.example'],
    ['https://example.com', 'https://example.com/'],
    ['https://example.com', 'https://evil.example#https://example.com'],
    ['https://example.com', 'null'],
    ['https://example.com', ''],
    ['https://example.com', '*'],
    ['http://example.com:443', 'http://example.com'],
    ['https://*.example.com', 'https://example.com'],
    ['https://*.example.com', 'https://.example.com'],
    ['https://*.example.com', 'https://evilexample.com'],
    ['https://*.example.com', 'http://www.example.com'],
    ['https://*.example.com', 'https://www.example.com:8443'],
    ['https://*.example.com', 'https://*.example.com'],
    ['https://*.example.com', 'https://evil.example/.example.com'],
    ['https://*.example.com', 'https://evil.example?.example.com'],
    ['https://*.example.com', 'https://user@www.example.com'],
    ['capacitor://localhost', 'ionic://localhost'],
    ['null', 'https://example.com'],
    ['null', '']
  ])('%s does not allow %s', (entry, origin) => {
    expect([allows(entry, origin), names(entry, origin)]).toEqual([false, false])
  })
})

it.each(['https://example.com', 'null', 'capacitor://localhost', 'anything'])(
  '* allows %s, but does not list it',
  (origin) => {
    expect([allows('*', origin), names('*', origin)]).toEqual([true, false])
  }
)

it('null is allowed, and never listed', () => {
  expect([allows('null', 'null'), names('null', 'null')]).toEqual([true, false])
})

it('a listed origin stays listed beside *', () => {
  const list = readOrigins(['*', 'https://example.com'])
  expect([list.names('https://example.com'), list.names('https://other.example')]).toEqual([true, false])
})

it('an empty list allows nothing', () => {
  expect(readOrigins([]).allows('https://example.com')).toBe(false)
})

describe('an invalid entry is rejected, and the error quotes it', () => {
  it.each([
    ['https://example.com/', 'ends with a slash'],
    ['https://example.com/path', 'has a path'],
    ['https://example.com/path/', 'has a path'],
    ['https://example.com?a=b', 'has a query'],
    ['https://example.com/?a', 'has a query'],
    ['https://example.com#a', 'has a fragment'],
    ['https://user@example.com', 'names a user'],
    ['https://user:password@example.com', 'names a user'],
    ['https://example.com:0', 'port'],
    ['https://example.com:65536', 'port'],
    ['https://example.com:http', 'port'],
    ['https://example.com:', 'port'],
    ['http://[::1]:', 'port'],
    ['https://example.com:80:80', 'port'],
    ['https://example.com:443/', 'ends with a slash'],
    ['https://*', 'wildcard'],
    ['https://*.com', 'too wide'],
    ['https://*.localhost', 'too wide'],
    ['https://*.127.0.0.1', 'too wide'],
    ['https://www.*.com', 'wildcard'],
    ['https://*.*.example.com', 'wildcard'],
    ['https://*example.com', 'wildcard'],
    ['https://www*.example.com', 'wildcard'],
    ['*://example.com', 'scheme'],
    ['*.example.com', 'scheme'],
    ['example.com', 'scheme'],
    ['//example.com', 'scheme'],
    ['https:example.com', 'scheme'],
    ['', 'scheme'],
    ['NULL', 'scheme'],
    ['**', 'scheme'],
    ['https://', 'host'],
    ['https://exa mple.com', 'host'],
    ['https://bücher.example', 'ASCII'],
    ['https://example..com', 'host'],
    ['https://example.com.', 'host'],
    ['https://-example.com', 'host'],
    ['http://[::g]', 'IPv6'],
    ['http://[::1', 'host'],
    [' https://example.com', 'scheme'],
    ['https://example.com ', 'host']
  ])('%j', (entry, wrong) => {
    const refused = () => readOrigins(['https://example.com', entry])
    expect(refused).toThrow(RangeError)
    expect(refused).toThrow(JSON.stringify(entry))
    expect(refused).toThrow(wrong)
  })
})
