// Small parts that several views use: states, quantities, notices.
import type { ComponentChildren } from 'preact'
import type { StreamState } from '../../../dashboard-api/streams.ts'
import { plural, type Quantity } from './format.ts'
import { WarnIcon } from './icons.tsx'

export function Amount({ of }: { readonly of: Quantity }) {
  return (
    <>
      {of.text}
      {of.unit && <span class="unit">{of.unit.startsWith('/') ? of.unit : ` ${of.unit}`}</span>}
    </>
  )
}

interface StateProps {
  readonly state: StreamState
  /** The word that is shown instead of the state, such as the reason of its end. */
  readonly detail?: string
}

/** The mark is a disc, a half disc or a ring. It is no SVG, since a table has many of them. */
export function StateLabel({ state, detail = state }: StateProps) {
  return (
    <span class="state" data-state={state}>
      <i class="disc" />
      {detail}
    </span>
  )
}

/** A message about something that failed or is missing. */
export function Notice({
  children,
  kind = 'error'
}: {
  readonly children: ComponentChildren
  readonly kind?: 'error' | 'warning'
}) {
  return (
    <div class="notice" data-kind={kind} role={kind === 'error' ? 'alert' : 'status'}>
      <WarnIcon />
      <div>{children}</div>
    </div>
  )
}

/** The nodes that did not answer, whose data is missing in what is shown. */
export function Missing({ nodes }: { readonly nodes: readonly string[] | undefined }) {
  if (!nodes || nodes.length === 0) return null
  return (
    <Notice kind="warning">
      {plural(nodes.length, 'node')} did not answer in time: {nodes.join(', ')}. {nodes.length === 1 ? 'Its' : 'Their'}{' '}
      data is missing here.
    </Notice>
  )
}

/** Why a request failed. Older data may still be shown. */
export function Failure({ error }: { readonly error: string | undefined }) {
  if (!error) return null
  return <Notice>{error} The page tries again automatically.</Notice>
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
