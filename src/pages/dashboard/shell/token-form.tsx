// Asks for the operator's token when the server refuses to show data without one, or with the one it got.
import { useEffect, useRef, useState } from 'preact/hooks'
import { enterToken, token } from '../data/token.ts'
import { hubUrl } from '../data/urls.ts'
import { Notice } from '../ui/parts.tsx'

/** The audience is the URL of the hub, unless the server has the option `--audience`. */
const audience = new URL('.well-known/mercure', hubUrl)
const command = `tidings token --operate --subscribe '*' --publish '*' --audience ${audience}`

interface Props {
  /** The HTTP status of the refusal, and what the server said. */
  readonly code: number
  readonly message: string
}

export function TokenForm({ code, message }: Props) {
  const [text, setText] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const hadToken = token.value !== ''
  useEffect(() => input.current?.focus(), [])

  function submit(event: Event): void {
    event.preventDefault()
    if (text.trim()) enterToken(text)
    else input.current?.focus()
  }

  return (
    <form class="token" onSubmit={submit}>
      <h1>{hadToken ? 'The server refused the token' : 'This dashboard needs a token'}</h1>
      <Notice>
        {message} (HTTP {code})
      </Notice>
      <p id="token-hint">
        The token must have the grant <code>tidings:operate</code> and be signed with a key of publishers. On a machine
        that has the keys, this makes one for an hour. It also reads private updates and publishes:
      </p>
      <pre>{command}</pre>
      <label for="operator-token">Token</label>
      <div class="joined">
        <input
          id="operator-token"
          ref={input}
          type="password"
          autoComplete="off"
          spellcheck={false}
          aria-describedby="token-hint"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Use token
        </button>
      </div>
      <p class="hint">
        This tab keeps the token until you close it or choose <em>Forget token</em>. The page sends it to this server
        only, in the header <code>Authorization</code>.
      </p>
    </form>
  )
}
