// The charts of the overview: what each of them shows of a sample.
import type { Sample } from '../../../dashboard-api/overview.ts'
import { bytes, count, milliseconds, percent, perSecond, type Quantity, rate } from '../ui/format.ts'

export interface Line {
  /** Empty for the only line of a chart. */
  readonly name: string
  of(sample: Sample): number | null
}

export interface Metric {
  readonly title: string
  /** What it is exactly. */
  readonly help: string
  /** The first line is the value in large type. */
  readonly lines: readonly [Line, ...Line[]]
  format(value: number): Quantity
}

export const metrics: readonly Metric[] = [
  {
    title: 'Subscribers',
    help: 'Open streams; of these, the streams that are behind',
    lines: [
      { name: 'open', of: ({ subscribers }) => subscribers },
      { name: 'behind', of: ({ behind }) => behind }
    ],
    format: count
  },
  {
    title: 'Publishes',
    help: 'Entries that arrived from the log per second',
    lines: [{ name: '', of: ({ published }) => published }],
    format: rate
  },
  {
    title: 'Deliveries',
    help: 'Entries written to streams per second',
    lines: [{ name: '', of: ({ delivered }) => delivered }],
    format: rate
  },
  {
    title: 'Bytes written',
    help: 'Bytes written to streams per second',
    lines: [{ name: '', of: (sample) => sample.bytes }],
    format: perSecond(bytes)
  },
  {
    title: 'Publish to write',
    help: 'Time from the append of an entry to its write to a live stream',
    lines: [
      { name: 'p99', of: ({ latency }) => latency?.p99 ?? null },
      { name: 'p50', of: ({ latency }) => latency?.p50 ?? null }
    ],
    format: milliseconds
  },
  {
    title: 'Event-loop delay',
    help: 'How late the event loop was',
    lines: [
      { name: 'p99', of: ({ loop }) => loop.p99 },
      { name: 'p50', of: ({ loop }) => loop.p50 }
    ],
    format: milliseconds
  },
  {
    title: 'Entries per sweep',
    help: 'Entries that left in one write to an audience, on average',
    lines: [{ name: '', of: ({ entriesPerSweep }) => entriesPerSweep }],
    format: count
  },
  {
    title: 'Lag',
    help: 'Entries that streams have not received yet: the most of one stream, and all together',
    lines: [
      { name: 'max', of: ({ lag }) => lag.max },
      { name: 'total', of: ({ lag }) => lag.total }
    ],
    format: count
  },
  {
    title: 'Memory',
    help: 'Resident memory and JavaScript heap of the processes',
    lines: [
      { name: 'rss', of: ({ memory }) => memory.rss },
      { name: 'heap', of: ({ memory }) => memory.heap }
    ],
    format: bytes
  },
  {
    title: 'CPU',
    help: 'Share of one core',
    lines: [{ name: '', of: ({ cpu }) => cpu }],
    format: percent
  },
  {
    title: 'Buffered',
    help: 'Bytes that wait in the server for clients that read slowly',
    lines: [{ name: '', of: ({ buffered }) => buffered }],
    format: bytes
  },
  {
    title: 'Connects',
    help: 'Streams that began and streams that ended per second',
    lines: [
      { name: 'began', of: ({ connects }) => connects },
      { name: 'ended', of: ({ closes }) => closes }
    ],
    format: rate
  }
]
