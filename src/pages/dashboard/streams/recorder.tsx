// The flight recorder of a stream: what happened to it, and why, the oldest first.
import type { FlightEvent } from '../../../dashboard-api/streams.ts'
import { shortTime } from '../../shared/clock.ts'
import { sentence } from '../../shared/refusal.ts'
import { duration, milliseconds, plain, plural } from '../ui/format.ts'
import { CrossIcon, DotIcon, EditIcon, GapIcon, HalfIcon, LinkIcon, PlugIcon } from '../ui/icons.tsx'

const icons: Record<FlightEvent['kind'], () => preact.JSX.Element> = {
  connected: PlugIcon,
  position: LinkIcon,
  gap: GapIcon,
  live: DotIcon,
  behind: HalfIcon,
  changed: EditIcon,
  closed: CrossIcon
}

interface Props {
  readonly events: readonly FlightEvent[]
  readonly dropped: number
}

export function Recorder({ events, dropped }: Props) {
  return (
    <section aria-labelledby="recorder-title">
      <h3 id="recorder-title" class="title">
        Flight recorder
      </h3>
      {dropped > 0 && <p class="hint">{plural(dropped, 'older event')} are no longer kept.</p>}
      <ol class="recorder">
        {events.map((event, index) => (
          <Entry key={`${event.at}-${event.kind}-${event.offset}`} event={event} before={events[index - 1]} />
        ))}
      </ol>
    </section>
  )
}

function Entry({ event, before }: { readonly event: FlightEvent; readonly before: FlightEvent | undefined }) {
  const { at, kind, offset, reason, detail } = event
  const Icon = icons[kind]
  return (
    <li data-kind={kind}>
      <Icon />
      <p class="what">
        <b>{kind}</b>
        <span class="soft">
          <time dateTime={new Date(at).toISOString()}>{shortTime(new Date(at))}</time>
          {before && at > before.at && ` · ${sinceText(at - before.at)} later`}
        </span>
      </p>
      {reason && <p>{sentence(reason)}</p>}
      <p class="hint mono wrap">
        offset {offset.toLocaleString('en')}
        {Object.entries(detail ?? {}).map(([name, value]) => ` · ${name} ${textOf(value)}`)}
      </p>
    </li>
  )
}

function sinceText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : ms < 10_000 ? plain(milliseconds(ms)) : duration(ms)
}

function textOf(value: string | number | boolean): string {
  return typeof value === 'number' ? value.toLocaleString('en') : String(value)
}
