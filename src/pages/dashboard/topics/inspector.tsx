// The inspector: who would receive an update of a topic, what retention keeps, and what a client gets that resumes at an id.
import { useEffect, useState } from 'preact/hooks'
import type { Inspection } from '../../../dashboard-api/streams.ts'
import { usePolled } from '../data/polled.ts'
import { go, linkTo, route } from '../data/route.ts'
import { useStore } from '../data/store.ts'
import { apiUrl } from '../data/urls.ts'
import { Failure, Missing } from '../ui/parts.tsx'
import { TextField } from '../ui/text-field.tsx'
import { Receivers, Resuming, Retention } from './result.tsx'

const refreshMs = 3_000

export function Inspector() {
  const { topic = '', id = '', private: isPrivate = '' } = useStore(route).query
  const url = topic ? apiUrl('inspect', { topic, id, private: isPrivate === '1' ? 1 : 0 }) : undefined
  const { value, error } = usePolled<Inspection>(url, refreshMs)
  return (
    <section class="inspector" aria-labelledby="inspector-title">
      <h2 id="inspector-title">Inspector</h2>
      <Question topic={topic} id={id} isPrivate={isPrivate === '1'} />
      <Failure error={error} />
      <Missing nodes={value?.missing} />
      {!url && (
        <p class="empty">
          Choose a topic on the left, or enter one: the inspector shows who would receive an update, which retention
          rule applies, and what a client gets that resumes at an id.
        </p>
      )}
      {value && (
        <div class="results">
          <Receivers inspection={value} />
          <Retention retention={value.retention} />
          <Resuming resume={value.resume} />
        </div>
      )}
    </section>
  )
}

interface QuestionProps {
  readonly topic: string
  readonly id: string
  readonly isPrivate: boolean
}

function Question({ topic, id, isPrivate }: QuestionProps) {
  const [fields, setFields] = useState({ topic, id, isPrivate })
  useEffect(() => setFields({ topic, id, isPrivate }), [topic, id, isPrivate])

  function submit(event: Event): void {
    event.preventDefault()
    go(linkTo('topics', '', { topic: fields.topic.trim(), id: fields.id.trim(), private: fields.isPrivate ? '1' : '' }))
  }

  return (
    <form class="question" onSubmit={submit}>
      <TextField
        label="Topic"
        value={fields.topic}
        placeholder="orders/17"
        required
        onInput={(topic) => setFields({ ...fields, topic })}
      />
      <TextField
        label="Resume at id"
        value={fields.id}
        placeholder="#91mr3tbe-34, or earliest"
        onInput={(id) => setFields({ ...fields, id })}
      />
      <label class="choice">
        <input
          type="checkbox"
          checked={fields.isPrivate}
          onChange={(event) => setFields({ ...fields, isPrivate: event.currentTarget.checked })}
        />
        private update
      </label>
      <button type="submit" class="primary">
        Inspect
      </button>
    </form>
  )
}
