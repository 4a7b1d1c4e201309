// The controls of the tail: topics, the id to replay from, filter, pause.
import { useEffect, useState } from 'preact/hooks'
import { Filter } from '../ui/filter.tsx'
import { readTopics } from './query.ts'
import type { TailStart } from './tail.ts'

interface Props {
  readonly start: TailStart
  readonly onStart: (start: TailStart) => void
}

export function Follow({ start, onStart }: Props) {
  const topicsText = start.topics.join(', ')
  const [topics, setTopics] = useState(topicsText)
  const [from, setFrom] = useState(start.from)
  useEffect(() => {
    setTopics(topicsText)
    setFrom(start.from)
  }, [topicsText, start.from])

  function submit(event: globalThis.Event): void {
    event.preventDefault()
    onStart({ topics: readTopics(topics), from: from.trim() })
  }

  return (
    <form class="follow" onSubmit={submit}>
      <label class="field">
        <span>Topics</span>
        <input
          value={topics}
          spellcheck={false}
          autoComplete="off"
          placeholder="every topic; orders/{id} follows many"
          onInput={(event) => setTopics(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Replay after id</span>
        <input
          value={from}
          spellcheck={false}
          autoComplete="off"
          placeholder="newest 50; or earliest"
          onInput={(event) => setFrom(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Follow</button>
    </form>
  )
}

interface FilterProps {
  readonly filter: string
  readonly held: number | undefined
  readonly onFilter: (text: string) => void
  readonly onPause: () => void
  readonly onClear: () => void
}

export function Controls({ filter, held, onFilter, onPause, onClear }: FilterProps) {
  return (
    <div class="controls">
      <Filter label="Filter by topic, type, id or payload" value={filter} onInput={onFilter} />
      <button type="button" aria-pressed={held !== undefined} onClick={onPause}>
        {held === undefined ? 'Pause' : held === 0 ? 'Resume' : `Resume (${held.toLocaleString('en')} new)`}
      </button>
      <button type="button" onClick={onClear}>
        Clear
      </button>
    </div>
  )
}
