// One event of the tail. Opening it shows its payload and what can be done from it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Update } from '../../../client/index.ts'
import { shortTime } from '../../shared/clock.ts'
import { gapTexts } from '../../shared/gaps.ts'
import { linkTo } from '../data/route.ts'
import { GapIcon } from '../ui/icons.tsx'
import { Payload } from './json-tree.tsx'
import type { TailEvent } from './tail.ts'

const previewLength = 300

const elements = new WeakMap<TailEvent, JSX.Element>()

/** The same element for the same event, which Preact then skips: a busy tail renders ten times a second. */
export function elementOf(event: TailEvent): JSX.Element {
  const element = elements.get(event) ?? <Event key={event.key} event={event} />
  elements.set(event, element)
  return element
}

function Event({ event }: { readonly event: TailEvent }) {
  if (event.kind === 'update') return <UpdateRow update={event.update} />
  return (
    <li class="event mark">
      <GapIcon />
      {event.kind === 'notice' ? (
        <p class="wrap">{event.text}</p>
      ) : (
        <p class="wrap">
          {gapTexts[event.gap.reason]} Asked for <code>{event.gap.requested}</code>, resumed after{' '}
          <code>{event.gap.resumedAfter}</code>.
        </p>
      )}
    </li>
  )
}

function UpdateRow({ update }: { readonly update: Update<string> }) {
  const { topics, type, data, id, time } = update
  const [isOpen, setOpen] = useState(false)
  return (
    <li class="event">
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          <span class="mono soft time">{time === undefined ? '' : shortTime(new Date(time))}</span>
          <span class="topics">{topics.join(', ')}</span>
          <span class="type" data-type={type}>
            {type}
          </span>
          <span class="mono preview">{data.slice(0, previewLength)}</span>
        </summary>
        {isOpen && <Opened update={update} id={id ?? ''} />}
      </details>
    </li>
  )
}

function Opened({ update, id }: { readonly update: Update<string>; readonly id: string }) {
  const { topics, topic = '', data } = update
  return (
    <div class="opened">
      <p class="links">
        <span>
          id <code>{id}</code>
        </span>
        <span class="soft">{data.length.toLocaleString('en')} characters</span>
        <a href={linkTo('events', '', { topics: topics.join(', '), from: id })}>Replay after this id</a>
        <a href={linkTo('topics', '', { topic, id })}>Inspect</a>
      </p>
      <Payload text={data} />
    </div>
  )
}
