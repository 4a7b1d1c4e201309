// The state of the log, as one row of facts.
import type { LogState } from '../../../dashboard-api/overview.ts'
import { secondsTime } from '../../shared/clock.ts'
import { bytes, count, duration } from '../ui/format.ts'
import { Amount, Fact } from '../ui/parts.tsx'

export function LogFacts({ log, at }: { readonly log: LogState; readonly at: number }) {
  return (
    <dl class="facts" aria-label="Log">
      <Fact name="Log size">{log.bytes === null ? 'not known' : <Amount of={bytes(log.bytes)} />}</Fact>
      <Fact name="Entries">
        <Amount of={count(log.entries)} />
      </Fact>
      <Fact name="Oldest entry">
        {log.oldest === null ? (
          'none'
        ) : (
          <time dateTime={new Date(log.oldest).toISOString()} title={secondsTime(new Date(log.oldest))}>
            {duration(at - log.oldest)} ago
          </time>
        )}
      </Fact>
      <Fact name="Newest offset">{log.head.toLocaleString('en')}</Fact>
      <Fact name="Epoch">
        <code>{log.epoch}</code>
      </Fact>
    </dl>
  )
}
