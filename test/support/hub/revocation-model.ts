// Random revocations against random streams on an in-memory hub, compared with a simple model of who must be closed and refused.
import type * as Tidings from '../../../dist/index.js'
import type { Random } from '../random.ts'
import { FakeConnection } from './fake-connection.ts'

interface Client {
  readonly subject: string | undefined
  readonly jti: string | undefined
  readonly issuedAt: number | undefined
  readonly address: string
  readonly topics: readonly string[]
}

interface Revoked {
  readonly kind: 'subject' | 'jti' | 'topic' | 'address'
  readonly value: string
  readonly at: number
  readonly until: number | undefined
}

const addresses = ['192.0.2.1', '192.0.2.10', '2001:db8::1']
const topics = ['a', 'a/{id}', 'b', '*']
const hour = 3_600_000

/** The rules as PROTOCOL.md has them, without an index and without a list that drops anything. */
function concerns({ kind, value, at }: Revoked, client: Client): boolean {
  if (kind === 'jti') return client.jti === value
  if (kind === 'topic') return client.topics.includes(value)
  if (kind === 'address') return client.address === value
  return client.subject === value && (client.issuedAt === undefined || client.issuedAt <= at)
}

function isInForce({ kind, until }: Revoked, now: number): boolean {
  const isToken = kind === 'jti' || kind === 'subject'
  if (until === undefined) return isToken
  return now < until + (isToken ? 300_000 : 0)
}

/** Two hubs that share a log. `setTime` sets the clock of the process. @throws Error when a hub differs from the model */
export async function playRevocations(
  library: typeof Tidings,
  random: Random,
  steps: number,
  setTime: (now: number) => void
): Promise<void> {
  const log = new library.MemoryLog()
  const hubs = [library.createHub({ log, heartbeat: 0 }), library.createHub({ log, heartbeat: 0 })]
  const revoked: Revoked[] = []
  const streams: { readonly client: Client; readonly connection: FakeConnection; isClosed: boolean }[] = []
  let now = 1_800_000_000_000
  const pick = <Value>(values: readonly Value[]) => values[random.between(0, values.length - 1)] as Value
  const hub = () => pick(hubs)

  const makeClient = (): Client => ({
    subject: pick([undefined, 'ann', 'bob']),
    jti: pick([undefined, '1', '2', '3']),
    issuedAt: pick([undefined, now - hour, now - 1, now, now + 1, now + hour]),
    address: pick(addresses),
    topics: random.chance(0.3) ? [pick(topics), pick(topics)] : [pick(topics)]
  })
  const connect = async () => {
    const client = makeClient()
    const mustClose = revoked.some((one) => isInForce(one, now) && concerns(one, client))
    const { subject, jti, issuedAt, address } = client
    const port = random.between(1, 65_535)
    const from = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
    const connection = Object.assign(new FakeConnection(), { address: from, token: { subject, jti, issuedAt } })
    const at = hub()
    const code = at.revocations.refusalOf({ token: { subject, jti, issuedAt }, address, selectors: client.topics })
    if ((code !== undefined) !== mustClose)
      throw new Error(`refused with ${code}, expected ${mustClose}: ${describe(client)}`)
    at.join(await at.locate({ topics: client.topics }), connection)
    streams.push({ client, connection, isClosed: mustClose })
  }
  const revoke = async () => {
    const kind = pick(['subject', 'jti', 'topic', 'address'] as const)
    const value = pick({ subject: ['ann', 'bob'], jti: ['1', '2', '3'], topic: topics, address: addresses }[kind])
    const until = pick([undefined, now + 1, now + hour, now + 24 * hour])
    await hub().revoke({ [kind]: value, ...(until !== undefined && { until }) })
    const one = { kind, value, at: now, until }
    revoked.push(one)
    for (const stream of streams) if (concerns(one, stream.client)) stream.isClosed = true
  }
  const lift = async () => {
    const { kind, value } = pick(revoked)
    const isSame = (one: Revoked) => one.kind === kind && one.value === value
    const isExpected = revoked.some((one) => isSame(one) && isInForce(one, now))
    const code = await hub()
      .revocations.lift({ [kind]: value })
      .then(
        () => undefined,
        (error: Tidings.TidingsError) => error.code
      )
    if ((code === undefined) !== isExpected)
      throw new Error(`lifting ${kind} ${value}: ${code}, expected ${isExpected}`)
    for (const one of revoked.filter(isSame)) revoked.splice(revoked.indexOf(one), 1)
  }
  const check = () => {
    for (const { client, connection, isClosed } of streams) {
      if ((connection.ended !== undefined) === isClosed) continue
      throw new Error(`ended with ${connection.ended}, expected ${isClosed}: ${describe(client)}`)
    }
  }
  const describe = (client: Client) => JSON.stringify({ client, now, revoked })

  try {
    for (let step = 0; step < steps; step++) {
      now += pick([1, 1_000, hour / 2])
      setTime(now)
      const isLift = revoked.length > 0 && random.chance(0.1)
      await (isLift ? lift() : random.chance(0.7) ? connect() : revoke())
      // A hub that starts later has the list from the log.
      if (random.chance(0.02)) {
        const late = library.createHub({ log, heartbeat: 0 })
        await late.revocations.loaded()
        hubs.push(late)
      }
      check()
    }
  } finally {
    for (const one of hubs) await one.close()
  }
}
