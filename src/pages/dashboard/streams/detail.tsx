// One stream: its state, its topics, what an operator can do, and its flight recorder. It stays after the stream has ended.
import { useEffect, useRef } from 'preact/hooks'
import type { StreamDetail } from '../../../dashboard-api/streams.ts'
import { shortTime } from '../../shared/clock.ts'
import { samples } from '../data/feed.ts'
import { usePolled } from '../data/polled.ts'
import { linkTo } from '../data/route.ts'
import { useStore } from '../data/store.ts'
import { apiUrl } from '../data/urls.ts'
import { bytes, count, duration } from '../ui/format.ts'
import { CrossIcon } from '../ui/icons.tsx'
import { Amount, Fact, Failure, StateLabel } from '../ui/parts.tsx'
import { Actions } from './actions.tsx'
import { Recorder } from './recorder.tsx'

const refreshMs = 1_500

interface Props {
  readonly id: string
  readonly onClose: () => void
  /** An action has changed streams. */
  readonly onChanged: () => void
}

export function Detail({ id, onClose, onChanged }: Props) {
  const { value, error, refresh } = usePolled<StreamDetail>(apiUrl(`streams/${encodeURIComponent(id)}`), refreshMs)
  const heading = useRef<HTMLHeadingElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another stream is read from its beginning
  useEffect(() => heading.current?.focus({ preventScroll: true }), [id])

  return (
    <section class="detail" aria-labelledby="detail-title">
      <div class="bar">
        <h2 id="detail-title" ref={heading} tabIndex={-1}>
          Stream <span class="mono">{value?.stream.address ?? id}</span>
        </h2>
        <button type="button" class="quiet end" aria-label="Close the details (Escape)" onClick={onClose}>
          <CrossIcon />
        </button>
      </div>
      <Failure error={error} />
      {value && (
        <>
          <Facts stream={value.stream} />
          {!value.stream.closed && (
            <Actions
              stream={value.stream}
              onDone={() => {
                refresh()
                onChanged()
              }}
            />
          )}
          <Topics topics={value.stream.topics} />
          <Recorder events={value.events} dropped={value.dropped} />
        </>
      )}
      {!value && !error && <p class="empty">Loading…</p>}
    </section>
  )
}

function Facts({ stream }: { readonly stream: StreamDetail['stream'] }) {
  const { closed, state, subject, node, since, age, lag, buffered, delivered, id } = stream
  const nodeName =
    useStore(samples)
      .at(-1)
      ?.nodes.find((one) => one.node === node)?.name ?? node
  return (
    <dl class="pairs">
      <Fact name="State">
        {closed ? (
          <StateLabel state="closed" detail={`closed at ${shortTime(new Date(closed.at))}, reason ${closed.reason}`} />
        ) : (
          <StateLabel state={state} />
        )}
      </Fact>
      <Fact name="Subject">{subject ?? 'none'}</Fact>
      <Fact name="Node">
        <a href={linkTo('overview', node)}>{nodeName}</a>
      </Fact>
      <Fact name="Connected">{shortTime(new Date(since))}</Fact>
      <Fact name="Age">{duration(age)}</Fact>
      <Fact name="Lag">
        <Amount of={count(lag)} /> {lag === 1 ? 'entry' : 'entries'}
      </Fact>
      <Fact name="Buffered">
        <Amount of={bytes(buffered)} />
      </Fact>
      <Fact name="Delivered">{delivered.toLocaleString('en')} entries</Fact>
      <Fact name="Id">
        <code>{id}</code>
      </Fact>
    </dl>
  )
}

/** A topic leads to the inspector. */
function Topics({ topics }: { readonly topics: readonly string[] }) {
  return (
    <section aria-labelledby="detail-topics">
      <h3 id="detail-topics" class="title">
        Topics
      </h3>
      <ul class="topic-list">
        {topics.map((topic) => (
          <li key={topic}>
            {/[{*…]/.test(topic) ? <span>{topic}</span> : <a href={linkTo('topics', '', { topic })}>{topic}</a>}
          </li>
        ))}
      </ul>
    </section>
  )
}
