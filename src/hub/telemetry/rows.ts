// Describes a stream for the dashboard: its row, and its flight events in words.
import type { ClosedRow, FlightEvent, StreamRow } from '../../dashboard-api/streams.ts'
import { type Selector, textOf } from '../../topics/matcher.ts'
import type { CloseReason, TokenIdentity } from '../connection.ts'
import type { Gap } from '../history/position.ts'
import type { Subscriber } from '../subscriber.ts'
import type { StreamFacts } from './closed-streams.ts'
import { type FlightCode, FlightLog, type FlightRecord, flightCodes } from './flight-log.ts'

/** Selectors in a row, and characters of a text that a client chose. */
const maxSelectors = 20
const maxLength = 200

/** @param token the newest token of the stream */
export function factsOf(subscriber: Subscriber, token: TokenIdentity | undefined): StreamFacts {
  const { number, connection, selectors, state, age, cursor, lag, delivered } = subscriber
  const { startedAfter, requested, flight } = subscriber
  const subject = token?.subject ?? connection.subject
  return {
    number,
    address: connection.address,
    subject,
    selectors,
    state,
    since: Math.round(Date.now() - age),
    age: Math.round(age),
    cursor,
    lag,
    buffered: connection.buffered,
    delivered,
    hasToken: (token?.jti ?? token?.subject) !== undefined,
    startedAfter,
    requested,
    flight
  }
}

export function rowOf(facts: StreamFacts, node: string): StreamRow {
  const { number, address, subject, selectors, state, since, age, lag, buffered, delivered, hasToken } = facts
  return {
    id: `${node}.${number.toString(36)}`,
    node,
    address,
    subject: subject === undefined ? null : short(subject),
    topics: topicsOf(selectors),
    state,
    since,
    age,
    lag,
    buffered,
    delivered,
    hasToken
  }
}

export function closedRowOf(facts: StreamFacts, node: string): ClosedRow {
  return { ...rowOf(facts, node), closed: facts.closed ?? { at: 0, reason: 'error' } }
}

export function topicsOf(selectors: readonly Selector[]): string[] {
  const topics = selectors.slice(0, maxSelectors).map((selector) => short(textOf(selector)))
  return selectors.length > maxSelectors ? [...topics, '…'] : topics
}

function short(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}

/** The events of a stream, the oldest first. The first ones are not stored: they follow from what is known of the stream. */
export function eventsOf(facts: StreamFacts): FlightEvent[] {
  const { since: at, startedAfter: offset, requested, flight, closed, cursor } = facts
  const events: FlightEvent[] = [{ at, kind: 'connected', offset, reason: 'the client opened the stream' }]
  if (flight?.gap) events.push(gapEvent(flight.gap, at, offset))
  else events.push({ at, kind: 'position', offset, reason: requested ? resumed : began })
  if (flight?.beganLive) events.push({ at, kind: 'live', offset, reason: 'there was nothing to catch up' })
  for (const record of flight?.records ?? []) events.push(eventOf(record))
  if (closed) {
    const reason = closeReasons[closed.reason]
    events.push({ at: closed.at, kind: 'closed', offset: cursor, reason, detail: { reason: closed.reason } })
  }
  return events
}

const resumed = 'the stream continues at the position that the client requested'
const began = 'the stream begins at the newest update, since the client requested no position'

const gapReasons: Record<Gap['reason'], string> = {
  unknown: 'the log has no update with the requested id; the stream begins at the newest update',
  epoch: 'the requested id is from a log that no longer exists; the stream begins with the first update of this one',
  trimmed: 'retention removed updates after the requested id'
}

function gapEvent({ requested, resumedAfter, reason }: Gap, at: number, offset: number): FlightEvent {
  const detail = { requested: short(requested), resumedAfter: short(resumedAfter), reason }
  return { at, kind: 'gap', offset, reason: gapReasons[reason], detail }
}

type EventWords = Pick<FlightEvent, 'kind' | 'reason'>

const eventWords: Record<FlightCode, EventWords> = {
  [flightCodes.live]: { kind: 'live', reason: 'the client received everything up to here' },
  [flightCodes.full]: { kind: 'behind', reason: 'the connection was full, because the client reads slowly' },
  [flightCodes.overrun]: { kind: 'behind', reason: 'updates arrived faster than this server could write them' },
  [flightCodes.skipped]: {
    kind: 'behind',
    reason: 'this server missed entries of the log, and reads them from history'
  },
  [flightCodes.changing]: { kind: 'behind', reason: 'the client requested other topics' },
  [flightCodes.changed]: { kind: 'changed', reason: 'the stream has other topics from here on' }
}

function eventOf({ at, code, offset, value }: FlightRecord): FlightEvent {
  const event = { at, offset, ...eventWords[code] }
  if (code === flightCodes.full) return { ...event, detail: { buffered: value } }
  return code === flightCodes.changed ? { ...event, detail: { selectors: value } } : event
}

const closeReasons: Record<CloseReason, string> = {
  client: 'the client closed the connection',
  slow: 'the client read nothing for longer than slowTimeout',
  gap: 'retention removed updates that the client had not read, or the log started over; it gets a gap when it resumes',
  ended: 'all topics of the stream have ended',
  expired: "the client's token expired",
  rotated: 'the stream reached maxAge; the client reconnects',
  operator: 'an operator closed the stream; the client reconnects',
  revoked: "the client's token, address or topic was revoked",
  shutdown: 'the server stopped',
  error: 'the server had an internal error'
}

/** Whether the events of a stream are all that happened. */
export function droppedOf({ flight }: StreamFacts): number {
  return flight && flight !== FlightLog.liveAtOnce ? flight.dropped : 0
}
