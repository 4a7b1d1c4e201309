// A dialog that asks before an action that cannot be undone, and shows why the action failed.
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { sentenceFor } from '../../shared/refusal.ts'
import { Notice } from './parts.tsx'

interface Props {
  readonly title: string
  readonly children: ComponentChildren
  /** The label of the button that acts. */
  readonly action: string
  /** The dialog stays open while it runs, and if it fails. */
  readonly run: () => Promise<void>
  readonly onClose: () => void
}

export function Confirm({ title, children, action, run, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [isRunning, setRunning] = useState(false)
  const [error, setError] = useState('')
  const titleId = useId()
  // Before the next event: until the dialog is open, the page handles the keys.
  useLayoutEffect(() => dialog.current?.showModal(), [])

  async function act(): Promise<void> {
    setRunning(true)
    setError('')
    try {
      await run()
      dialog.current?.close()
    } catch (failure) {
      setError(sentenceFor(failure))
      setRunning(false)
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby={titleId} onClose={onClose}>
      <h2 id={titleId}>{title}</h2>
      <div class="prose">{children}</div>
      {error && <Notice>{error}</Notice>}
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button type="button" class="danger" disabled={isRunning} onClick={() => void act()}>
          {action}
        </button>
      </div>
    </dialog>
  )
}
