// Publishes an update, or ends topics, with the operator's token.
import { useState } from 'preact/hooks'
import { publish } from '../../../client/index.ts'
import { sentenceFor } from '../../shared/refusal.ts'
import { token } from '../data/token.ts'
import { publishUrl } from '../data/urls.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Notice } from '../ui/parts.tsx'
import { say } from '../ui/said.tsx'
import { TextField } from '../ui/text-field.tsx'
import { readTopics } from './query.ts'

const empty = { topics: '', type: '', data: '', isPrivate: false }

export function Publish() {
  const [fields, setFields] = useState(empty)
  const [error, setError] = useState('')
  const [isSending, setSending] = useState(false)
  const [isEnding, setEnding] = useState(false)
  const topics = readTopics(fields.topics)

  async function send(end: boolean): Promise<void> {
    const { type, data, isPrivate } = fields
    const update = { topics, data, ...(type && { type: type.trim() }), private: isPrivate, end }
    await publish(publishUrl, update, { retryTimeout: 0, ...(token.value && { token: token.value }) })
    say(`${end ? 'Ended' : 'Published to'} ${topics.join(', ')}.`)
    setFields({ ...fields, data: '' })
  }

  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    setSending(true)
    setError('')
    await send(false).catch((failure: unknown) => setError(sentenceFor(failure)))
    setSending(false)
  }

  return (
    <form class="publish" aria-labelledby="publish-title" onSubmit={(event) => void submit(event)}>
      <h2 id="publish-title">Publish</h2>
      <TextField
        label="Topics"
        value={fields.topics}
        placeholder="orders/17"
        required
        onInput={(topics) => setFields({ ...fields, topics })}
      />
      <TextField
        label="Type"
        value={fields.type}
        placeholder="message"
        onInput={(type) => setFields({ ...fields, type })}
      />
      <label class="field">
        <span>Data</span>
        <textarea
          rows={5}
          value={fields.data}
          spellcheck={false}
          placeholder={'{"total": 42}'}
          onInput={(event) => setFields({ ...fields, data: event.currentTarget.value })}
        />
      </label>
      <label class="choice">
        <input
          type="checkbox"
          checked={fields.isPrivate}
          onChange={(event) => setFields({ ...fields, isPrivate: event.currentTarget.checked })}
        />
        private: only for subscribers whose token may read a topic
      </label>
      {error && <Notice>{error}</Notice>}
      <div class="buttons">
        <button type="button" class="danger" disabled={topics.length === 0} onClick={() => setEnding(true)}>
          End topics…
        </button>
        <button type="submit" class="primary" disabled={isSending}>
          Publish
        </button>
      </div>
      {isEnding && (
        <Confirm title="End these topics?" action="End topics" run={() => send(true)} onClose={() => setEnding(false)}>
          <p>
            The update is the last one of <b>{topics.join(', ')}</b>. Streams of these topics alone close when they have
            it, and their clients do not connect again.
          </p>
          <p>Publishing to a topic opens it again.</p>
        </Confirm>
      )}
    </form>
  )
}
