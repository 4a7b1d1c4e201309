// Combines the descriptions of the hubs of several workers.
import type { HubDescription } from '../../http/description.ts'

/** Streams that ended last, as many as one hub remembers. */
const maxCloses = 50

/** Numbers of streams are added up. What all workers have from the one log is that of the worker that has come furthest. */
export function combineDescriptions(all: readonly HubDescription[], limit: number): HubDescription {
  const [first, ...others] = all.toSorted((one, other) => other.head - one.head)
  if (!first) throw new Error('no worker is running')
  const sum = (value: (description: HubDescription) => number) =>
    others.reduce((total, description) => total + value(description), value(first))
  const subscriptions = all.flatMap((description) => description.subscriptions).slice(0, limit)
  const swept = all.filter(({ entriesPerSweep }) => entriesPerSweep > 0)
  const sumOfSweeps = swept.reduce((total, { entriesPerSweep }) => total + entriesPerSweep, 0)
  return {
    ...first,
    isReady: all.every(({ isReady }) => isReady),
    audiences: sum(({ audiences }) => audiences),
    subscribers: sum(({ subscribers }) => subscribers),
    polls: sum(({ polls }) => polls),
    announced: sum(({ announced }) => announced),
    delivered: sum(({ delivered }) => delivered),
    bytes: sum(({ bytes }) => bytes),
    published: Math.max(...all.map(({ published }) => published)),
    entriesPerSweep: swept.length === 0 ? 0 : Math.round((sumOfSweeps / swept.length) * 100) / 100,
    shown: subscriptions.length,
    subscriptions,
    closes: all
      .flatMap(({ closes }) => closes)
      .sort((one, other) => one.at - other.at)
      .slice(-maxCloses)
  }
}
