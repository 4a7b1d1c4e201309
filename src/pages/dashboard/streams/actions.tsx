// What an operator can do to a stream: close it, and revoke its token. Both are asked again.
import { useState } from 'preact/hooks'
import type { RevokeResult, StreamRow } from '../../../dashboard-api/streams.ts'
import { send } from '../data/api.ts'
import { useActionsAllowed } from '../data/server-config.ts'
import { apiUrl } from '../data/urls.ts'
import { Confirm } from '../ui/confirm.tsx'
import { say } from '../ui/said.tsx'

interface Props {
  readonly stream: StreamRow
  readonly onDone: () => void
}

export function Actions({ stream, onDone }: Props) {
  const [asked, setAsked] = useState<'close' | 'revoke' | undefined>()
  const path = `streams/${encodeURIComponent(stream.id)}`

  async function close(): Promise<void> {
    await send('DELETE', apiUrl(path))
    say(`The stream of ${stream.address} is closed.`)
    onDone()
  }

  async function revoke(): Promise<void> {
    const response = await send('POST', apiUrl(`${path}/revoke`))
    const { revoked } = (await response.json()) as RevokeResult
    say('jti' in revoked ? `The token ${revoked.jti} is revoked.` : `The tokens of ${revoked.subject} are revoked.`)
    onDone()
  }

  if (!useActionsAllowed()) return null
  return (
    <div class="actions">
      <button type="button" onClick={() => setAsked('close')}>
        Close stream…
      </button>
      <button
        type="button"
        disabled={!stream.hasToken}
        title={stream.hasToken ? undefined : 'The client has no token that can be revoked.'}
        onClick={() => setAsked('revoke')}
      >
        Revoke token…
      </button>
      {asked === 'close' && (
        <Confirm title="Close this stream?" action="Close stream" run={close} onClose={() => setAsked(undefined)}>
          <p>
            The server ends the stream of <b>{stream.address}</b>. Its client may connect again at once, and continues
            after its last id. Revoke its token to keep it away.
          </p>
        </Confirm>
      )}
      {asked === 'revoke' && (
        <Confirm
          title="Revoke the token of this stream?"
          action="Revoke token"
          run={revoke}
          onClose={() => setAsked(undefined)}
        >
          <p>
            The server ends all streams that use the token, on all nodes, and refuses it from now on. If the token has
            no id (<code>jti</code>), the server revokes all tokens of its subject
            {stream.subject && <b> {stream.subject}</b>}.
          </p>
          <p>
            <code>tidings revoke --lift</code> undoes it.
          </p>
        </Confirm>
      )}
    </div>
  )
}
